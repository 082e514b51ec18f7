// A graph as a picture that scales.
import { corners, head, round, type Scene } from './scene';
import { escaped } from './xml';

/** The picture; paint gives the value of a colour of the sheet of styles. */
export function svg(scene: Scene, title: string, paint: (name: string) => string): string {
  const lines = scene.lines.map((line) => {
    const colour = escaped(paint(line.colour));
    const { from, to } = line;
    const end = head(line);
    return (
      `<g><title>${escaped(line.title)}</title>` +
      `<line x1="${round(from.x)}" y1="${round(from.y)}" x2="${round(to.x)}" y2="${round(to.y)}" stroke="${colour}" stroke-width="${round(line.width)}" stroke-opacity="0.7"/>` +
      `<polygon points="${points(end)}" fill="${colour}"/></g>`
    );
  });
  const nodes = scene.nodes.map((node) => {
    const colour = escaped(paint(node.colour));
    const form = corners(node.shape, node.at, node.size);
    const shape = form
      ? `<polygon points="${points(form)}" fill="${colour}"/>`
      : `<circle cx="${round(node.at.x)}" cy="${round(node.at.y)}" r="${node.size * 0.8}" ${node.shape === 'ring' ? `fill="none" stroke-width="3" stroke="${colour}"` : `fill="${colour}"`}/>`;
    const name = `<text x="${round(node.at.x + 14)}" y="${round(node.at.y + 4)}">${escaped(node.label)}</text>`;
    return `<g><title>${escaped(node.title)}</title>${shape}${name}</g>`;
  });
  const [width, height] = [Math.ceil(scene.width), Math.ceil(scene.height)];
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="${escaped(paint('text'))}">
<title>${escaped(title)}</title>
<style>text { paint-order: stroke; stroke: ${escaped(paint('ground'))}; stroke-width: 4px; stroke-linejoin: round }</style>
<rect width="100%" height="100%" fill="${escaped(paint('ground'))}"/>
${lines.join('\n')}
${nodes.join('\n')}
</svg>
`;
}

function points(list: { x: number; y: number }[]): string {
  return list.map((p) => `${p.x},${p.y}`).join(' ');
}
