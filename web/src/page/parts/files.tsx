import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

interface Chooser {
  readonly children: ComponentChildren;
  readonly onFiles: (files: readonly File[]) => void;
  readonly accept?: string;
  readonly several?: boolean;
  readonly look?: string;
}

/** A button that opens the file dialog: a real file input underneath, so that it is reached by keyboard. */
export function Chooser({ children, onFiles, accept, several, look }: Chooser): JSX.Element {
  const id = useId();
  return (
    <span class="chooser">
      <input
        id={id}
        type="file"
        class="unseen"
        accept={accept ?? "image/*,.heic,.heif,.avif,.tif,.tiff"}
        multiple={several ?? false}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = ""; // so that the same file can be chosen again
          if (files.length) onFiles(files);
        }}
      />
      <label for={id} class={`button ${look ?? ""}`}>
        {children}
      </label>
    </span>
  );
}

/** The files in what was dropped or pasted. */
export function filesIn(data: DataTransfer | null): readonly File[] {
  return [...(data?.files ?? [])];
}
