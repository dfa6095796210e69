/**
 * Shows a picture and its cutout, and takes a person's marks: the core that the page and the notebook's widget share.
 *
 * It has no dependency, sets no global and puts no style sheet in: it works under a CSP without unsafe-inline.
 */

import { Stage, type StageOptions } from "./stage";

/** Build a stage inside an element, which it fills. The element has a size of its own. */
export function createStage(element: HTMLElement, options: StageOptions = {}): Stage {
  return new Stage(element, options);
}

export type { Stage, StageOptions };
export { amended, begun, canRedo, canUndo, done, redone, undone, type History } from "./history";
export { MOST_POINTS, MOST_STROKES, readStrokes } from "./strokes";
export { ENGLISH, type Words } from "./words";
export { MOST_SCALE, type View } from "./view";
export type {
  AlphaPlane,
  Background,
  Brush,
  Cause,
  Mode,
  Picture,
  Point,
  Rect,
  Side,
  Size,
  StageEvents,
  Stroke,
  Tool,
  ViewState,
} from "./types";
