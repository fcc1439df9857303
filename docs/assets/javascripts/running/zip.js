// A zip of a few texts, stored as they are.

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
