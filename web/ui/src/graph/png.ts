// A graph as a picture of dots, drawn from the same scene as the one that scales.
import { corners, head, type Scene } from './scene';
import type { Point } from './types';

/** The longest side in dots: browsers refuse larger pictures. */
const longest = 8000;
/** In a picture that is made smaller than this, names would be specks. */
const readable = 0.6;

export async function png(scene: Scene, paint: (name: string) => string): Promise<Blob> {
  const canvas = document.createElement('canvas');
  const scale = Math.min(2, longest / scene.width, longest / scene.height);
  canvas.width = Math.max(1, Math.ceil(scene.width * scale));
  canvas.height = Math.max(1, Math.ceil(scene.height * scale));
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('This browser cannot draw the picture. Export SVG instead.');
  pen.scale(scale, scale);
  draw(pen, scene, paint, scale >= readable);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error('This browser cannot make a picture of that size. Export SVG instead.');
  return blob;
}

function draw(pen: CanvasRenderingContext2D, scene: Scene, paint: (name: string) => string, names: boolean): void {
  pen.fillStyle = paint('ground');
  pen.fillRect(0, 0, scene.width, scene.height);
  for (const line of scene.lines) {
    pen.strokeStyle = pen.fillStyle = paint(line.colour);
    pen.lineWidth = line.width;
    pen.globalAlpha = 0.7;
    pen.beginPath();
    pen.moveTo(line.from.x, line.from.y);
    pen.lineTo(line.to.x, line.to.y);
    pen.stroke();
    pen.globalAlpha = 1;
    trail(pen, head(line));
    pen.fill();
  }
  pen.font = '12px sans-serif';
  for (const node of scene.nodes) {
    pen.strokeStyle = pen.fillStyle = paint(node.colour);
    const form = corners(node.shape, node.at, node.size);
    if (form) trail(pen, form);
    else {
      pen.beginPath();
      pen.arc(node.at.x, node.at.y, node.size * 0.8, 0, 2 * Math.PI);
    }
    pen.lineWidth = 3;
    if (node.shape === 'ring') pen.stroke();
    else pen.fill();
    if (!names) continue;
    pen.strokeStyle = paint('ground');
    pen.lineWidth = 4;
    pen.lineJoin = 'round';
    pen.strokeText(node.label, node.at.x + 14, node.at.y + 4);
    pen.fillStyle = paint('text');
    pen.fillText(node.label, node.at.x + 14, node.at.y + 4);
  }
}

function trail(pen: CanvasRenderingContext2D, points: Point[]): void {
  pen.beginPath();
  points.forEach((p, i) => (i === 0 ? pen.moveTo(p.x, p.y) : pen.lineTo(p.x, p.y)));
  pen.closePath();
}
