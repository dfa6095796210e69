import type { JSX } from "preact";

/** Drawn for this page: 24 units wide, lines of 1.75. */
const PATHS = {
  add: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  retry: "M4 12a8 8 0 1 0 2.5-5.8M4 4v4.5h4.5",
  undo: "M8 5L4 9l4 4M4 9h9a6 6 0 0 1 0 12h-2",
  redo: "M16 5l4 4-4 4M20 9h-9a6 6 0 0 0 0 12h2",
  keep: "M4 20c4 0 4-4 6-6L19 5l2 2-9 9c-2 2-4 2-4 4zM4 6h6M7 3v6",
  remove: "M4 20c4 0 4-4 6-6L19 5l2 2-9 9c-2 2-4 2-4 4zM4 6h6",
  eraser: "M9 20l-5-5L15 4l6 6-10 10zM9 10l6 6M8 20h13",
  lasso: "M12 4c5 0 9 2.500 9 6s-4 6-9 6-9-2.500-9-6 4-6 9-6zM7 15c-2 1-2 4 0 4s2 2 0 2",
  box: "M5 5h4M5 5v4M19 5h-4M19 5v4M5 19h4M5 19v-4M19 19h-4M19 19v-4",
  pan: "M12 3v18M3 12h18M12 3l-2.500 2.500M12 3l2.500 2.500M12 21l-2.500-2.500M12 21l2.500-2.500M3 12l2.500-2.500M3 12l2.500 2.500M21 12l-2.500-2.500M21 12l-2.500 2.500",
  zoomIn: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5M8 11h6M11 8v6",
  zoomOut: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5M8 11h6",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  up: "M7 11v9H4v-9zM7 11l4-7c2 0 2.500 1.500 2 3l-.700 3H19c1.500 0 2 1 1.800 2.300l-1.200 6c-.2 1-1 1.700-2 1.700H7",
  down: "M17 13V4h3v9zM17 13l-4 7c-2 0-2.500-1.500-2-3l.700-3H5c-1.500 0-2-1-1.800-2.300l1.200-6c.2-1 1-1.700 2-1.700H17",
  help: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9.5 9.8a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M12 16.8v.1",
  done: "M5 12.500l4.500 4.500L19 7.500",
  warn: "M12 4l9 16H3zM12 10v4M12 17v.1",
  device: "M4 5h16v11H4zM9 20h6M12 16v4",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
