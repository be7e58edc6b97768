/** Stores that are built on demand, in the course of a component or an effect, and outlive it. */

/** What is derived in a store would stop following its sources with the effect that it was built in; so it is built in none. */
export function lasting<Store>(build: () => Store): Store {
  let store!: Store;
  $effect.root(() => {
    store = build();
  });
  return store;
}
