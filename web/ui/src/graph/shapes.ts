// Nodes of several shapes in one program of the graphics card: whoever cannot tell the colours apart sees the forms.
import { NodeProgram, type ProgramInfo } from 'sigma/rendering';
import type { NodeDisplayData, RenderParams } from 'sigma/types';
import { floatColor } from 'sigma/utils';
import { shapes, type Shape } from './look';

// A triangle around the unit circle, in which every shape has room.
const vertex = `
attribute vec4 a_id;
attribute vec4 a_color;
attribute vec2 a_position;
attribute float a_size;
attribute float a_shape;
attribute float a_angle;
uniform mat3 u_matrix;
uniform float u_sizeRatio;
uniform float u_correctionRatio;
varying vec4 v_color;
varying vec2 v_at;
varying float v_border;
varying float v_shape;
const float bias = 255.0 / 254.0;
void main() {
  float size = a_size * u_correctionRatio / u_sizeRatio * 4.0;
  vec2 at = vec2(cos(a_angle), sin(a_angle));
  gl_Position = vec4((u_matrix * vec3(a_position + size * at, 1)).xy, 0, 1);
  v_at = at * 2.0;
  v_border = u_correctionRatio * 2.0 / (size / 2.0);
  v_shape = a_shape;
  #ifdef PICKING_MODE
  v_color = a_id;
  #else
  v_color = a_color;
  #endif
  v_color.a *= bias;
}`;

// The distance from the border of each shape; the order is that of the list of shapes.
const fragment = `
precision highp float;
varying vec4 v_color;
varying vec2 v_at;
varying float v_border;
varying float v_shape;
void main(void) {
  vec2 p = abs(v_at);
  float far = length(v_at) - 0.9;
  if (v_shape > 4.5) far = abs(length(v_at) - 0.7) - 0.22;
  else if (v_shape > 3.5) far = max(p.x * 0.866 + p.y * 0.5, p.y) - 0.84;
  else if (v_shape > 2.5) far = max(p.x * 0.866 + v_at.y * 0.5, -v_at.y) - 0.5;
  else if (v_shape > 1.5) far = (p.x + p.y) - 1.0;
  else if (v_shape > 0.5) far = max(p.x, p.y) - 0.7;
  #ifdef PICKING_MODE
  if (length(v_at) > 1.0) discard;
  gl_FragColor = v_color;
  #else
  gl_FragColor = mix(v_color, vec4(0.0), clamp(far / v_border + 0.5, 0.0, 1.0));
  #endif
}`;

const { FLOAT, UNSIGNED_BYTE, TRIANGLES } =
  typeof WebGLRenderingContext === 'undefined'
    ? { FLOAT: 5126, UNSIGNED_BYTE: 5121, TRIANGLES: 4 as const }
    : WebGLRenderingContext;

type Uniform = 'u_sizeRatio' | 'u_correctionRatio' | 'u_matrix';

export class ShapeProgram extends NodeProgram<Uniform> {
  getDefinition() {
    return {
      VERTICES: 3,
      VERTEX_SHADER_SOURCE: vertex,
      FRAGMENT_SHADER_SOURCE: fragment,
      METHOD: TRIANGLES,
      UNIFORMS: ['u_sizeRatio', 'u_correctionRatio', 'u_matrix'] as Uniform[],
      ATTRIBUTES: [
        { name: 'a_position', size: 2, type: FLOAT },
        { name: 'a_size', size: 1, type: FLOAT },
        { name: 'a_color', size: 4, type: UNSIGNED_BYTE, normalized: true },
        { name: 'a_id', size: 4, type: UNSIGNED_BYTE, normalized: true },
        { name: 'a_shape', size: 1, type: FLOAT },
      ],
      CONSTANT_ATTRIBUTES: [{ name: 'a_angle', size: 1, type: FLOAT }],
      CONSTANT_DATA: [[0], [(2 * Math.PI) / 3], [(4 * Math.PI) / 3]],
    };
  }

  processVisibleItem(index: number, start: number, data: NodeDisplayData & { shape?: Shape }): void {
    const { array } = this;
    array[start] = data.x;
    array[start + 1] = data.y;
    array[start + 2] = data.size;
    array[start + 3] = floatColor(data.color);
    array[start + 4] = index;
    array[start + 5] = shapes.indexOf(data.shape ?? 'circle');
  }

  override setUniforms(params: RenderParams, { gl, uniformLocations }: ProgramInfo<Uniform>): void {
    gl.uniform1f(uniformLocations.u_correctionRatio, params.correctionRatio);
    gl.uniform1f(uniformLocations.u_sizeRatio, params.sizeRatio);
    gl.uniformMatrix3fv(uniformLocations.u_matrix, false, params.matrix);
  }
}
