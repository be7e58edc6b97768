/** Turns clicks on links into steps of the router; what it does not know is the server's, and the browser follows it. */
import { routeOf, type Router } from "../../lib/router.svelte";

export function follow(router: Router, event: MouseEvent): void {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!plain || event.defaultPrevented || !link?.href || link.target || link.origin !== location.origin || link.hash) return;
  const route = routeOf(link.pathname);
  if (route.name === "unknown") return;
  event.preventDefault();
  router.go(route);
}
