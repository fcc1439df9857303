// The interactive figures of the book: small custom elements around a static picture.
//
// <nn-relu><img …></nn-relu> shows its picture until the reader comes near; then the module of the
// figure is loaded, and what it draws takes the picture's place. Without JavaScript, and on paper,
// the picture stays. A figure is a module that exports `mount(stage, signal)`: it draws into the
// element `stage`, and ends its listeners and animations when `signal` is aborted (the reader has
// gone to another page).

const FIGURES = {
  "nn-convolution": () => import("./figures/convolution.js"),
  "nn-cross-entropy": () => import("./figures/cross_entropy.js"),
  "nn-graph": () => import("./figures/graph.js"),
  "nn-relu": () => import("./figures/relu.js"),
  "nn-batch-norm": () => import("./figures/batch_norm.js"),
  "nn-iris": () => import("./figures/network_small.js"),
  "nn-network": () => import("./figures/network.js"),
  "nn-optimizers": () => import("./figures/optimizers.js"),
  "nn-pooling": () => import("./figures/pooling.js"),
  "nn-softmax": () => import("./figures/softmax.js"),
};

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) target.show();
  },
  { rootMargin: "300px" },
);

class LazyFigure extends HTMLElement {
  connectedCallback() {
    near.observe(this);
  }

  disconnectedCallback() {
    near.unobserve(this);
    this.life?.abort();
    this.stage?.remove();
    this.removeAttribute("data-live");
    this.life = this.stage = undefined;
  }

  async show() {
    near.unobserve(this);
    if (this.life) return;
    const life = (this.life = new AbortController());
    const { mount } = await FIGURES[this.localName]();
    if (life.signal.aborted) return;
    this.stage = document.createElement("div");
    this.stage.className = "book-live";
    this.append(this.stage);
    mount(this.stage, life.signal);
    this.setAttribute("data-live", "");
  }
}

for (const name of Object.keys(FIGURES)) customElements.define(name, class extends LazyFigure {});
