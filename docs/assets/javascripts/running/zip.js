// A zip of a few texts: ours are stored as they are, and those of others may be compressed.

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let i = 0; i < 8; i += 1) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function crc(bytes) {
  let sum = ~0;
  for (const byte of bytes) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  return ~sum >>> 0;
}

/** The fields of a header: pairs of a number and its size in bytes. */
function header(...fields) {
  const bytes = new Uint8Array(fields.reduce((sum, [, size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, size] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
}

const DATE = (1 << 5) | 1; // 1 January 1980

/** @param {Record<string, string>} files by their names */
export function zip(files) {
  const parts = [];
  const entries = [];
  let offset = 0;
  const text = new TextEncoder();
  for (const [name, content] of Object.entries(files)) {
    const [title, bytes] = [text.encode(name), text.encode(content)];
    const about = [[20, 2], [0x800, 2], [0, 2], [0, 2], [DATE, 2], [crc(bytes), 4], [bytes.length, 4], [bytes.length, 4], [title.length, 2], [0, 2]];
    parts.push(header([0x04034b50, 4], ...about), title, bytes);
    entries.push(header([0x02014b50, 4], [20, 2], ...about, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]), title);
    offset += 30 + title.length + bytes.length;
  }
  const count = entries.length / 2;
  const size = entries.reduce((sum, part) => sum + part.length, 0);
  const end = header([0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [size, 4], [offset, 4], [0, 2]);
  return new Blob([...parts, ...entries, end]);
}

/**
 * Read the texts of a zip.
 *
 * @param {Blob} file
 * @returns {Promise<Record<string, string>>} by their names, without folders
 */
export async function unzip(file) {
  const view = new DataView(await file.arrayBuffer());
  let end = view.byteLength - 22; // the last record, which a comment may follow
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end -= 1;
  if (end < 0) throw new Error(`${file.name} is no zip`);
  const files = {};
  const text = new TextDecoder();
  let at = view.getUint32(end + 16, true);
  for (let count = view.getUint16(end + 10, true); count; count -= 1) {
    const [title, extra, comment] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const name = text.decode(new Uint8Array(view.buffer, at + 46, title));
    const local = view.getUint32(at + 42, true);
    const begin = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const part = file.slice(begin, begin + view.getUint32(at + 20, true));
    const isStored = view.getUint16(at + 10, true) === 0;
    const stream = isStored ? part.stream() : part.stream().pipeThrough(new DecompressionStream("deflate-raw"));
    if (name.endsWith(".py")) files[name.split("/").pop()] = await new Response(stream).text();
    at += 46 + title + extra + comment;
  }
  return files;
}
