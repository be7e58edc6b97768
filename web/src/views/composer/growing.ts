/** Makes a textarea as tall as its text where the browser cannot do it by itself (field-sizing: content). */
import type { Attachment } from "svelte/attachments";

export function growing(text: () => string): Attachment<HTMLTextAreaElement> {
  return (field) => {
    if (CSS.supports("field-sizing", "content")) return;
    text();
    field.style.blockSize = "auto";
    field.style.blockSize = `${field.scrollHeight}px`;
  };
}
