/** Where the browser client starts. */
import "./styles/tokens.css";
import "./styles/base.css";
import { mount } from "svelte";
import Client from "./App.svelte";
import { App } from "./lib/app.svelte";
import { browserEnvironment } from "./lib/browser";
import { install } from "./lib/installation";
import { Appearance } from "./views/settings/appearance.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("The page has no element with the id app.");
const appearance = new Appearance();
appearance.begin();
const app = new App(browserEnvironment());
await app.start();
mount(Client, { target, props: { app, appearance } });
// While developing, files change without a build.
if (import.meta.env.PROD) void install();
