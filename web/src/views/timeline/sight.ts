/** Tells when an element comes into sight of its scroller, and when it goes. */
import type { Attachment } from "svelte/attachments";

/** `margin` widens the sight, as CSS writes it: "600px 0px". Out of sight is also what is not displayed at all. */
export function sight(change: (inSight: boolean) => void, margin = "0px"): Attachment<HTMLElement> {
  return (element) => {
    const root = element.closest<HTMLElement>("[data-scroller]");
    const observer = new IntersectionObserver(
      (entries) => {
        const last = entries.at(-1);
        if (last) change(last.isIntersecting);
      },
      { root, rootMargin: margin },
    );
    observer.observe(element);
    return () => observer.disconnect();
  };
}
