/** Stores that are built on demand, in the course of a component or an effect, and outlive it. */

/** What is derived in a store would stop following its sources with the effect that it was built in; so it is built in none. */
export function lasting<Store>(build: () => Store): Store {
  let store: Store | undefined;
  $effect.root(() => {
    store = build();
  });
  // Where modules are compiled without effects, as in the tests in Node, there is nothing to outlive.
  return store ?? build();
}
