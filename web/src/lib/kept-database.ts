/** What is kept for a start without the server, in a database of its own: the service worker can empty it too, and leaves the outbox alone. */
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { KeptPage, KeptStore } from "./kept";
import type { HelloEvent } from "./types";

interface Schema extends DBSchema {
  hello: { key: string; value: HelloEvent };
  pages: { key: number; value: KeptPage };
}

const NAME = "roomful-kept";
const LAST = "last";
const TRIES = 5;
/** In milliseconds, as is the other. */
const PAUSE = 100;
const A_TRY = 400;

function openDatabase(): Promise<IDBPDatabase<Schema>> {
  return openDB<Schema>(NAME, 1, {
    upgrade(made) {
      made.createObjectStore("hello");
      made.createObjectStore("pages", { keyPath: "room" });
    },
    // A newer client in another tab wants to change the tables: it must not wait for this one.
    blocking(_current, _blocked, event) {
      (event.target as IDBDatabase).close();
    },
  });
}

/** Also while the browser clears this site at the server's word, which closes connections at any moment and tells no end: a try may never be over. */
export async function clearKept(): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await Promise.race([clearOnce(), tooLong()]);
    } catch (error) {
      if (tries === TRIES) throw error;
      await pause(PAUSE);
    }
  }
}

async function clearOnce(): Promise<void> {
  const database = await openDatabase();
  const change = database.transaction(["hello", "pages"], "readwrite");
  await Promise.all([change.objectStore("hello").clear(), change.objectStore("pages").clear(), change.done]);
  database.close();
}

async function tooLong(): Promise<never> {
  await pause(A_TRY);
  throw new Error("The browser does not answer.");
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Null where the browser refuses to keep anything. */
export async function openKeptStore(): Promise<KeptStore | null> {
  let database: IDBPDatabase<Schema>;
  try {
    database = await openDatabase();
  } catch (error) {
    console.info("Without the server nothing can be shown: this browser stores nothing for us.", error);
    return null;
  }
  return {
    hello: async () => (await database.get("hello", LAST)) ?? null,
    async putHello(hello) {
      await database.put("hello", hello, LAST);
    },
    page: async (room) => (await database.get("pages", room)) ?? null,
    pages: () => database.getAll("pages"),
    async putPage(page) {
      await database.put("pages", page);
    },
    deletePage: (room) => database.delete("pages", room),
    clear: clearKept,
  };
}
