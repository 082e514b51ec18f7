// How sigma draws here.
import type { NodeProgramType } from 'sigma/rendering';
import type { Shape } from './look';
import { ShapeProgram } from './shapes';

/** What is said of a node to sigma. */
export interface NodeLook {
  x: number;
  y: number;
  size: number;
  color: string;
  label: string;
  shape: Shape;
  type: string;
  highlighted: boolean;
  zIndex: number;
}

/** What is said of an edge to sigma. */
export interface EdgeLook {
  size: number;
  color: string;
  label: string;
  zIndex: number;
  type: string;
  forceLabel: boolean;
}

/** Free room around the graph, in dots. */
export const margin = 60;

export const pictureSettings = {
  allowInvalidContainer: true, // of a frame that has no size yet
  defaultNodeType: 'shape',
  nodeProgramClasses: { shape: ShapeProgram as unknown as NodeProgramType<NodeLook, EdgeLook> },
  defaultEdgeType: 'arrow',
  enableEdgeEvents: true, // has to be so from the beginning; the picture turns it off for large graphs
  labelSize: 12,
  labelFont: 'system-ui, sans-serif',
  labelDensity: 0.6,
  labelGridCellSize: 110,
  edgeLabelSize: 11,
  edgeLabelFont: 'system-ui, sans-serif',
  minEdgeThickness: 0.8,
  minCameraRatio: 0.002,
  maxCameraRatio: 4,
  stagePadding: margin,
  zIndex: true,
};
