/** Where the gallery starts: every part in every state, for looking at while developing. `npm run dev`, then /gallery.html. */
import "../styles/tokens.css";
import "../styles/base.css";
import { mount } from "svelte";
import Gallery from "./Gallery.svelte";

const target = document.getElementById("gallery");
if (!target) throw new Error("The page has no element with the id gallery.");
mount(Gallery, { target });
