/** The real environment: with the two databases and the installation, all here that knows the browser. */
import type { Environment, Exclusively, Page, PageNews, Shelf, Socket, SocketListener } from "./environment";
import { uninstall } from "./installation";
import { openKeptStore } from "./kept-database";
import { openOutboxStore } from "./outbox-database";
import { ProblemError } from "./problem";

const INPUT_EVENTS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];
/** Input is told at most so often, in milliseconds. */
const INPUT_EVERY = 1000;

function openSocket(listener: SocketListener): Socket {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/ws`);
  socket.addEventListener("message", ({ data }) => listener.frame(String(data)));
  socket.addEventListener("close", ({ code }) => listener.closed(code));
  return socket;
}

async function signedIn(): Promise<"yes" | "no" | "unknown"> {
  try {
    const answer = await fetch("/api/v1/me", { headers: { Accept: "application/json" } });
    if (answer.status === 401) return "no";
    return answer.ok ? "yes" : "unknown";
  } catch {
    // No network: nobody can tell.
    return "unknown";
  }
}

async function signOut(): Promise<void> {
  let status: number;
  try {
    status = (await fetch("/api/v1/session", { method: "DELETE" })).status;
  } catch {
    throw ProblemError.disconnected();
  }
  // 401: there was no session any more, which is what we want.
  if (status >= 400 && status !== 401) throw new ProblemError({ code: "internal", text: "The server could not sign you out. Try again in a moment." });
}

function uuid(): string {
  // crypto.randomUUID is missing on plain http, where a workspace on a local network may live.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

function browserPage(): Page {
  const listeners = new Set<(news: PageNews) => void>();
  const tell = (news: PageNews): void => {
    for (const listener of listeners) listener(news);
  };
  let lastInput = -INPUT_EVERY;
  document.addEventListener("visibilitychange", () => tell(document.visibilityState === "visible" ? "shown" : "hidden"));
  addEventListener("pageshow", (event) => {
    if (event.persisted) tell("shown");
  });
  addEventListener("online", () => tell("online"));
  addEventListener("offline", () => tell("offline"));
  for (const name of INPUT_EVENTS) {
    addEventListener(
      name,
      ({ timeStamp }) => {
        if (timeStamp - lastInput < INPUT_EVERY) return;
        lastInput = timeStamp;
        tell("input");
      },
      { passive: true, capture: true },
    );
  }
  return {
    get visible() {
      return document.visibilityState === "visible";
    },
    get online() {
      return navigator.onLine;
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** localStorage; where the browser refuses it or has no space, what is set lives as long as the page. */
function browserShelf(): Shelf {
  const fallback = new Map<string, string>();
  const memory: Shelf = {
    get length() {
      return fallback.size;
    },
    key: (index) => [...fallback.keys()][index] ?? null,
    getItem: (key) => fallback.get(key) ?? null,
    setItem: (key, value) => void fallback.set(key, value),
    removeItem: (key) => void fallback.delete(key),
  };
  try {
    const probe = "roomful:probe";
    localStorage.setItem(probe, probe);
    localStorage.removeItem(probe);
  } catch {
    return memory;
  }
  return {
    get length() {
      return localStorage.length;
    },
    key: (index) => localStorage.key(index),
    getItem: (key) => fallback.get(key) ?? localStorage.getItem(key),
    setItem(key, value) {
      try {
        localStorage.setItem(key, value);
        fallback.delete(key);
      } catch (error) {
        console.warn("The browser has no space for this any more; it is kept in memory.", error);
        fallback.set(key, value);
      }
    },
    removeItem(key) {
      fallback.delete(key);
      localStorage.removeItem(key);
    },
  };
}

const exclusively: Exclusively = async (name, work) => {
  // Without locks (plain http) two tabs may send the same message: with one nonce, so the server stores it once.
  if ("locks" in navigator) await navigator.locks.request(name, work);
  else await work();
};

export function browserEnvironment(): Environment {
  return {
    clock: {
      now: () => Date.now(),
      after(milliseconds, run) {
        const timer = setTimeout(run, milliseconds);
        return () => clearTimeout(timer);
      },
    },
    random: () => Math.random(),
    uuid,
    openSocket,
    signedIn,
    signOut,
    leave: (path) => location.assign(path),
    page: browserPage(),
    shelf: browserShelf(),
    channel(name, hear) {
      const channel = new BroadcastChannel(name);
      channel.addEventListener("message", ({ data }) => hear(data));
      return (news) => channel.postMessage(news);
    },
    openOutbox: () => openOutboxStore(),
    openKept: openKeptStore,
    uninstall,
    exclusively,
    visited: {
      get path() {
        return location.pathname;
      },
      get state() {
        return history.state as unknown;
      },
      push: (path, state) => history.pushState(state, "", path),
      replace: (path, state) => history.replaceState(state, "", path),
      back: () => history.back(),
      listen(listener) {
        addEventListener("popstate", listener);
        return () => removeEventListener("popstate", listener);
      },
    },
  };
}
