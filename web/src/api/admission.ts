import { headerOf, type Header } from "./header";
import { own, type Problem } from "./problem";
import type { ServiceInfo } from "./types";

export interface Admitted {
  readonly header: Header;
}

/** Check a file against the server's own numbers before a byte of it is sent. */
export async function admission(
  file: Blob,
  service: Pick<ServiceInfo, "limits" | "reads">,
): Promise<Admitted | { readonly problem: Problem }> {
  if (file.size === 0) return { problem: own("empty") };
  if (file.size > service.limits.max_bytes) {
    return { problem: own("tooManyBytes", { size: file.size, most: service.limits.max_bytes }) };
  }
  const header = await readable(file);
  if (!header) return { problem: own("unreadable") };
  if (!service.reads.some((type) => same(type, header.type))) return { problem: own("notRead", { type: header.type }) };
  const pixels = header.size ? header.size[0] * header.size[1] : 0;
  if (pixels > service.limits.max_pixels) {
    return { problem: own("tooManyPixels", { size: pixels, most: service.limits.max_pixels }) };
  }
  return { header };
}

/** A file that cannot be opened (it was moved, or belongs to someone else) is told like one that is no picture. */
async function readable(file: Blob): Promise<Header | null> {
  try {
    return await headerOf(file);
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

function same(listed: string, type: string): boolean {
  return listed === type || (type === "image/heic" && listed === "image/heif");
}
