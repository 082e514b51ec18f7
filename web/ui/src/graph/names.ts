// Names beside nodes. Sigma's own go beyond the frame, and have a white ground in the dark, too.

/** What sigma tells of a node. */
interface Named {
  x: number;
  y: number;
  size: number;
  label?: string | null;
}

/** The colours to draw in, and how wide the frame is. */
export interface Pens {
  text: string;
  ground: string;
  ring: string;
  width: number;
}

/** A name is to the right of its node; to the left where the frame ends. */
export function writeName(pen: CanvasRenderingContext2D, { x, y, size, label }: Named, pens: Pens, marked = false): void {
  if (!label) return;
  pen.font = `${marked ? '600 ' : ''}12px system-ui, sans-serif`;
  const wide = pen.measureText(label).width + 8;
  const right = x + size + 4;
  const left = right + wide > pens.width ? x - size - 4 - wide : right;
  if (marked) {
    pen.fillStyle = pens.ground;
    pen.fillRect(left, y - 10, wide, 20);
  }
  pen.fillStyle = pens.text;
  pen.fillText(label, left + 4, y + 4);
}

/** A ring around a node that is chosen or pointed at, with its name on a ground. */
export function drawRing(pen: CanvasRenderingContext2D, node: Named, pens: Pens): void {
  pen.strokeStyle = pens.ring;
  pen.lineWidth = 2.5;
  pen.beginPath();
  pen.arc(node.x, node.y, node.size + 3, 0, 2 * Math.PI);
  pen.stroke();
  writeName(pen, node, pens, true);
}
