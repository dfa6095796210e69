/** The notebook's widget, as anywidget takes it: a view of a studio for each cell that shows it. */

import "./widget.css";
import type { Model } from "./kernel";
import { Link } from "./link";
import { Studio } from "./studio";

function render({ model, el }: { readonly model: Model; readonly el: HTMLElement }): () => void {
  const studio = new Studio(el, new Link(model));
  return () => studio.destroy();
}

export default { render };
