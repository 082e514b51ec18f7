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

/**
 * What is written in a picture so far. A name that would lie across another one is left out, and stands beside its node
 * when somebody comes closer or points at it.
 */
export class Room {
  private taken: Box[] = [];

  clear(): void {
    this.taken = [];
  }

  /** Takes the room, unless some of it is taken. */
  take(box: Box): boolean {
    if (this.taken.some((t) => box.left < t.right && t.left < box.right && box.top < t.bottom && t.top < box.bottom))
      return false;
    this.taken.push(box);
    return true;
  }
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Where a name stands: to the right of its node; to the left where the frame ends. */
function beside(pen: CanvasRenderingContext2D, { x, y, size }: Named, label: string, pens: Pens): Box {
  const wide = pen.measureText(label).width + 8;
  const right = x + size + 4;
  const left = right + wide > pens.width ? x - size - 4 - wide : right;
  return { left, right: left + wide, top: y - 10, bottom: y + 10 };
}

/** Writes a name with an edge in the colour of the ground, so that it can be read across arrows and nodes. */
export function writeName(pen: CanvasRenderingContext2D, node: Named, pens: Pens, room: Room): void {
  if (!node.label) return;
  pen.font = '12px system-ui, sans-serif';
  const box = beside(pen, node, node.label, pens);
  // Rows may be closer than a name with its ground is high: only the letters must not meet.
  if (!room.take({ ...box, top: node.y - 6, bottom: node.y + 6 })) return;
  pen.strokeStyle = pens.ground;
  pen.lineWidth = 4;
  pen.lineJoin = 'round';
  pen.strokeText(node.label, box.left + 4, node.y + 4);
  pen.fillStyle = pens.text;
  pen.fillText(node.label, box.left + 4, node.y + 4);
}

/** A ring around a node that is chosen or pointed at, with its name on a ground. */
export function drawRing(pen: CanvasRenderingContext2D, node: Named, pens: Pens): void {
  pen.strokeStyle = pens.ring;
  pen.lineWidth = 2.5;
  pen.beginPath();
  pen.arc(node.x, node.y, node.size + 3, 0, 2 * Math.PI);
  pen.stroke();
  if (!node.label) return;
  pen.font = '600 12px system-ui, sans-serif';
  const box = beside(pen, node, node.label, pens);
  pen.fillStyle = pens.ground;
  pen.fillRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  pen.fillStyle = pens.text;
  pen.fillText(node.label, box.left + 4, node.y + 4);
}
