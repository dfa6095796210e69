import type { Easel } from "./easel";
import { commandOf, type Command } from "./keys";
import type { Stage } from "./stage";
import type { Brush, Mode, Point, Tool } from "./types";
import { clamped, middleOf, toPane } from "./view";
import type { Words } from "./words";

/** CSS pixels that an arrow key moves the tool; the picture moves by `PAN` times as many. */
const PACES = { fine: 1, plain: 10, far: 50 } as const;
const PAN = 6;

/** CSS pixels around the tool that stay in view. */
const MARGIN = 24;

type Asking<Does> = Extract<Command, { readonly does: Does }>;

/** Everything a pointer can do, by keys. Escape at rest is left to the page, so that a dialog can close. */
export class Keyboard {
  readonly #end = new AbortController();
  readonly #does: { readonly [Does in Command["does"]]: (command: Asking<Does>) => void } = {
    go: ({ x, y, pace }) => this.#go(x, y, PACES[pace]),
    zoom: ({ factor }) => this.#zoom(this.easel.camera.aim.scale * factor),
    scale: ({ scale }) => this.#zoom(scale),
    tool: ({ tool }) => this.#tool(tool),
    size: ({ factor }) => this.#brush({ radius: this.stage.brush.radius * factor }),
    hardness: ({ factor }) => this.#brush({ hardness: this.stage.brush.hardness * factor }),
    swap: () => this.#brush({ keep: !this.stage.brush.keep }),
    mark: () => this.#mark(),
    drop: () => this.#drop(),
    undo: () => this.#walk("undo"),
    redo: () => this.#walk("redo"),
    fit: () => this.stage.fit(),
    compare: () => this.#switch("compare"),
    alpha: () => this.#switch("alpha"),
    toggle: () => this.stage.toggle(),
  };

  constructor(
    private readonly easel: Easel,
    private readonly stage: Stage,
    private readonly words: Words,
    private readonly ask: ((move: "undo" | "redo") => void) | null,
  ) {
    const { root } = easel.surface;
    root.addEventListener("keydown", (event) => this.#press(event), { signal: this.#end.signal });
  }

  destroy(): void {
    this.#end.abort();
  }

  #press(event: KeyboardEvent): void {
    const command = commandOf(event);
    if (!command || (command.does === "drop" && !this.easel.drawing.isBusy)) return;
    if (command.does === "mark" && event.target !== this.easel.surface.root) return;
    event.preventDefault();
    if (event.repeat && command.does === "mark") return;
    (this.#does[command.does] as (command: Command) => void)(command);
  }

  #tool(tool: Tool): void {
    this.stage.setTool(tool);
    this.#sayTool();
  }

  #brush(change: Partial<Brush>): void {
    this.stage.setBrush(change);
    this.#sayTool();
  }

  /** Switch a mode on, or off again. */
  #switch(mode: Mode): void {
    this.stage.setMode(this.stage.mode === mode ? "result" : mode);
  }

  #drop(): void {
    this.easel.drawing.drop();
    this.easel.surface.say(this.words.dropped);
  }

  #go(x: number, y: number, pace: number): void {
    const { camera, drawing, surface, size } = this.easel;
    const step = pace * surface.ratio;
    if (drawing.tool === "pan") {
      camera.panBy(-x * step * PAN, -y * step * PAN);
      return;
    }
    const { scale } = camera.view;
    const { cursor } = this.easel;
    const at = {
      x: clamped(cursor.x + (x * step) / scale, 0, size.width),
      y: clamped(cursor.y + (y * step) / scale, 0, size.height),
    };
    this.easel.moveCursor(at, true);
    drawing.extend([{ ...at, pressure: null }]);
    camera.reveal(at, MARGIN * surface.ratio);
    this.#sayPlace(at);
  }

  /** Zoom about the tool where it is in view, so that the keys never lose it. */
  #zoom(scale: number): void {
    const { camera, drawing, cursor, surface } = this.easel;
    camera.zoomTo(scale, drawing.tool === "pan" ? middleOf(camera.pane) : toPane(camera.view, cursor));
    surface.say(this.words.zoom(camera.aim.scale * 100));
  }

  /** Put the tool down where it is, or lift it. */
  #mark(): void {
    const { drawing, cursor, surface } = this.easel;
    if (drawing.tool === "pan") return;
    if (drawing.isBusy) {
      surface.say(drawing.end() ? this.words.up : this.words.full);
      return;
    }
    this.easel.moveCursor(cursor, true);
    drawing.begin({ ...cursor, pressure: null });
    surface.say(this.words.down);
  }

  #walk(move: "undo" | "redo"): void {
    if (this.ask) {
      this.ask(move);
      return;
    }
    if (this.stage[move]()) this.easel.surface.say(move === "undo" ? this.words.undone : this.words.redone);
  }

  #sayTool(): void {
    this.easel.surface.say(this.words.tool(this.stage.tool, this.stage.brush));
  }

  #sayPlace({ x, y }: Point): void {
    const { width, height } = this.easel.size;
    this.easel.surface.say(this.words.cursor(x / width, y / height));
  }
}
