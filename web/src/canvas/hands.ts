import type { Easel } from "./easel";
import type { Sample } from "./gesture";
import type { Hands, Touch } from "./pointer";
import type { Point, Rect } from "./types";
import { paneAt, toPicture } from "./view";

/** Lets pointers work on an easel. */
export function handsOn(easel: Easel): Hands {
  const { camera, drawing } = easel;
  /** The pane that a gesture began on: it stays there, though the pointer may leave it. */
  let held: Rect | undefined;
  const sampled = ({ pressure, ...at }: Touch): Sample => ({
    ...toPicture(camera.view, easel.onPane(at, held)),
    pressure,
  });
  return {
    draws: () => drawing.tool !== "pan",
    begin: (at, erases) => {
      held = paneAt(easel.panes, easel.onSheets(at));
      drawing.begin(sampled(at), erases ? "eraser" : drawing.tool);
    },
    draw: (through) => drawing.extend(through.map(sampled)),
    end: () => {
      held = undefined;
      drawing.end();
    },
    drop: () => {
      held = undefined;
      drawing.drop();
    },
    hover: (at) => easel.moveCursor(at && toPicture(camera.view, easel.onPane(at, held)), false),
    pan: (dx, dy) => {
      const [from, to] = [easel.onSheets({ x: 0, y: 0 }), easel.onSheets({ x: dx, y: dy })];
      camera.panBy(to.x - from.x, to.y - from.y);
    },
    pinch: (before, now) => {
      const pane = paneAt(easel.panes, easel.onSheets(before[0]));
      const both = ([a, b]: readonly [Point, Point]): [Point, Point] => [easel.onPane(a, pane), easel.onPane(b, pane)];
      camera.pinch(both(before), both(now));
    },
    zoom: (factor, at) => camera.zoomBy(factor, easel.onPane(at), false),
    twice: (at) => (camera.fitted ? camera.zoomTo(1, easel.onPane(at)) : camera.fit()),
  };
}
