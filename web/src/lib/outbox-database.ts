/** The outbox kept in IndexedDB, so that it survives closing the browser. */
import { openDB, type DBSchema } from "idb";
import { memoryStore, type OutboxStore, type Pending } from "./outbox";

interface Schema extends DBSchema {
  outbox: { key: string; value: Pending; indexes: { user: number } };
}

/** Falls back to memory where the browser refuses to keep anything. */
export async function openOutboxStore(name = "roomful"): Promise<OutboxStore> {
  try {
    const database = await openDB<Schema>(name, 1, {
      upgrade(made) {
        made.createObjectStore("outbox", { keyPath: "nonce" }).createIndex("user", "user");
      },
      // A newer client in another tab wants to change the tables: it must not wait for this one.
      blocking(_current, _blocked, event) {
        (event.target as IDBDatabase).close();
      },
    });
    return {
      persistent: true,
      all: (user) => database.getAllFromIndex("outbox", "user", user),
      // On the disk, not in a cache of the system's: a browser that is closed or killed at once has lost nothing.
      async put(pending) {
        const writing = database.transaction("outbox", "readwrite", { durability: "strict" });
        await Promise.all([writing.store.put(pending), writing.done]);
      },
      delete: (nonce) => database.delete("outbox", nonce),
      clear: () => database.clear("outbox"),
    };
  } catch (error) {
    console.warn("Unsent messages are kept in memory only: this browser stores nothing for us.", error);
    return memoryStore();
  }
}
