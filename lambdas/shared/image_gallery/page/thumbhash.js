// A ThumbHash (https://evanw.github.io/thumbhash/) drawn: the blurred picture that stands until the preview is there.

const LONGEST = 32;

/** A canvas with the picture of a hash in base64; null where it is none. */
export function draw(base64) {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
  if (bytes.length < 6) return null;
  const pixels = decoded(bytes);
  const canvas = document.createElement("canvas");
  canvas.width = pixels.width;
  canvas.height = pixels.height;
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

function decoded(bytes) {
  const low = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
  const high = bytes[3] | (bytes[4] << 8);
  const opaque = !(low >> 23);
  const landscape = Boolean(high >> 15);
  const longest = opaque ? 7 : 5;
  const across = Math.max(3, landscape ? longest : high & 7);
  const down = Math.max(3, landscape ? high & 7 : longest);
  const ratio = (landscape ? longest : high & 7) / (landscape ? high & 7 : longest) || 1;
  const width = Math.round(ratio > 1 ? LONGEST : LONGEST * ratio) || 1;
  const height = Math.round(ratio > 1 ? LONGEST / ratio : LONGEST) || 1;

  let nibble = (opaque ? 5 : 6) * 2;
  const terms = (nx, ny, scale) => {
    const found = [];
    for (let cy = 0; cy < ny; cy += 1) {
      for (let cx = cy ? 0 : 1; cx * ny < nx * (ny - cy); cx += 1) {
        const value = (bytes[nibble >> 1] >> ((nibble & 1) << 2)) & 15;
        nibble += 1;
        found.push([cx, cy, (value / 7.5 - 1) * scale]);
      }
    }
    return found;
  };
  // Colours are a little stronger than what was kept: few terms make them pale.
  const channels = [
    [(low & 63) / 63, terms(across, down, ((low >> 18) & 31) / 31)],
    [((low >> 6) & 63) / 31.5 - 1, terms(3, 3, (((high >> 3) & 63) / 63) * 1.25)],
    [((low >> 12) & 63) / 31.5 - 1, terms(3, 3, (((high >> 9) & 63) / 63) * 1.25)],
  ];
  channels.push(opaque ? [1, []] : [(bytes[5] & 15) / 15, terms(5, 5, (bytes[5] >> 4) / 15)]);

  const pixels = new ImageData(width, height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [l, p, q, a] = channels.map(([mean, found]) => found.reduce((sum, [cx, cy, value]) => sum
        + 2 * value * Math.cos((Math.PI / width) * (x + 0.5) * cx) * Math.cos((Math.PI / height) * (y + 0.5) * cy), mean));
      const blue = l - (2 / 3) * p;
      const red = (3 * l - blue + q) / 2;
      // ImageData holds bytes, which round and clamp by themselves.
      pixels.data.set([red * 255, (red - q) * 255, blue * 255, a * 255], (y * width + x) * 4);
    }
  }
  return pixels;
}
