import { render } from "preact";
import type { Client } from "../api/client";
import { App, Provide } from "./app";
import { Page } from "./parts/Page";
import { dress } from "./theme";
import type { Place } from "./works";
import "./page.css";

/**
 * Put the page on the screen.
 *
 * @param place where it works, if that is known: the static build has no server to ask.
 */
export function mountPage(root: HTMLElement, client: Client, place?: Place): App {
  dress(document.documentElement);
  const app = new App(client);
  app.looks.follow();
  render(
    <Provide value={app}>
      <Page />
    </Provide>,
    root,
  );
  void app.keeper.start();
  if (place) app.settle(place);
  else void app.begin();
  return app;
}
