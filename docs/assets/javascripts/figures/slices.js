// Long work in small pieces, so that the page answers in between. The work is a generator, which
// yields wherever it may rest: `yield` goes on if there is time, `yield FRAME` with the next frame.

const MOST = 8; // milliseconds of a frame's sixteen
export const FRAME = "frame";

/** Return `start`, which does some work instead of what was being done, and `stop`. */
export function slices(signal) {
  let work, frame;

  function go() {
    const began = performance.now();
    let done, value;
    do ({ done, value } = work.next());
    while (!done && value !== FRAME && performance.now() - began < MOST);
    if (!done) frame = requestAnimationFrame(go);
  }

  const stop = () => cancelAnimationFrame(frame);
  signal.addEventListener("abort", stop);
  function start(generator) {
    stop();
    work = generator;
    frame = requestAnimationFrame(go);
  }
  return { start, stop };
}
