import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { bytes, megapixels, words } from "../../strings";
import { useApp } from "../app";
import { Chooser } from "./files";
import { Icon } from "./icons";

/** The page before there is a picture: one thing to do, and the ways to do it. */
export function Welcome(): JSX.Element {
  const { bench } = useApp();
  const t = words.value.welcome;
  const place = bench.works.place.value;
  return (
    <section class="welcome">
      <Sketch />
      <h1>{t.heading}</h1>
      <p class="lead">{t.lead}</p>
      <Chooser several look="primary large" onFiles={(files) => void bench.add(files)}>
        <Icon name="add" />
        {t.choose}
      </Chooser>
      {place?.service.urls && !bench.works.deviceOnly.value && <ByUrl />}
      {place && (
        <p class="about">
          {t.reads(
            place.service.reads.map(shortName).join(", "),
            bytes(place.service.limits.max_bytes),
            megapixels(place.service.limits.max_pixels),
          )}
        </p>
      )}
      <p class="about">{bench.works.deviceOnly.value ? t.whereDevice : t.where}</p>
    </section>
  );
}

function shortName(type: string): string {
  return type.replace("image/", "").toUpperCase();
}

function ByUrl(): JSX.Element {
  const { bench } = useApp();
  const t = words.value.welcome;
  const url = useSignal("");
  const go = (event: Event) => {
    event.preventDefault();
    bench.addUrl(url.value.trim());
    url.value = "";
  };
  return (
    <form class="by-url" onSubmit={go}>
      <input
        type="url"
        required
        dir="ltr"
        aria-label={t.url}
        placeholder="https://…"
        value={url.value}
        onInput={(event) => (url.value = event.currentTarget.value)}
      />
      <button type="submit">{t.urlGo}</button>
    </form>
  );
}

/** A leaf, half on its ground and half cut out: what the page does, without a word. */
function Sketch(): JSX.Element {
  const squares = Array.from({ length: 12 }, (_, at) => ({ x: 80 + (at % 3) * 20 + (Math.floor(at / 3) % 2 ? 0 : 10) - 10, y: Math.floor(at / 3) * 26 })); // prettier-ignore
  return (
    <svg class="sketch" viewBox="0 0 160 104" aria-hidden="true">
      <clipPath id="sketch-frame">
        <rect width="160" height="104" rx="12" />
      </clipPath>
      <g clip-path="url(#sketch-frame)">
        <rect class="ground" width="80" height="104" />
        <circle class="sun" cx="28" cy="26" r="10" />
        <path class="hill" d="M0 84c24-18 48-14 80-4v24H0z" />
        <rect class="bare" x="80" width="80" height="104" />
        {squares.map(({ x, y }) => (
          <rect key={`${x} ${y}`} class="square" x={x + 10} y={y} width="13" height="13" />
        ))}
        <path class="leaf" d="M80 92C50 78 46 40 80 14c34 26 30 64 0 78z" />
        <path class="vein" d="M80 92V38M80 72l14-12M80 60L68 50" />
        <path class="cut" d="M80 0v104" />
      </g>
    </svg>
  );
}
