/** How the client looks on this device: theme and text size, kept in localStorage and set on the root element. */

export const THEMES = ["system", "light", "dark"] as const;
export const TEXT_SIZES = ["100", "125", "150", "200"] as const;
export type Theme = (typeof THEMES)[number];
export type TextSize = (typeof TEXT_SIZES)[number];

const KEY = "roomful-appearance";

function among<Choice extends string>(choices: readonly Choice[], wanted: unknown, otherwise: Choice): Choice {
  return choices.find((choice) => choice === wanted) ?? otherwise;
}

export class Appearance {
  theme = $state<Theme>("system");
  textSize = $state<TextSize>("100");

  /** Reads what was chosen and shows it; also when another tab chooses anew. */
  begin(): void {
    this.#read(localStorage.getItem(KEY));
    addEventListener("storage", (event) => {
      if (event.key === KEY) this.#read(event.newValue);
    });
  }

  choose(choice: { theme?: Theme; textSize?: TextSize }): void {
    this.theme = choice.theme ?? this.theme;
    this.textSize = choice.textSize ?? this.textSize;
    localStorage.setItem(KEY, JSON.stringify({ theme: this.theme, textSize: this.textSize }));
    this.#show();
  }

  #read(stored: string | null): void {
    let kept: { theme?: unknown; textSize?: unknown } = {};
    try {
      kept = (JSON.parse(stored ?? "{}") as typeof kept | null) ?? {};
    } catch {
      // Somebody else wrote there; the defaults are as good as ever.
    }
    this.theme = among(THEMES, kept.theme, "system");
    this.textSize = among(TEXT_SIZES, kept.textSize, "100");
    this.#show();
  }

  #show(): void {
    const root = document.documentElement;
    if (this.theme === "system") delete root.dataset["theme"];
    else root.dataset["theme"] = this.theme;
    if (this.textSize === "100") delete root.dataset["textSize"];
    else root.dataset["textSize"] = this.textSize;
    for (const meta of document.querySelectorAll<HTMLMetaElement>("meta[name=theme-color]")) {
      // The page names one colour for each theme of the system; a theme of one's own takes the same for both.
      meta.dataset["own"] ??= meta.content;
      const wanted = this.theme === "system" ? meta : (document.querySelector<HTMLMetaElement>(`meta[name=theme-color][media*=${this.theme}]`) ?? meta);
      meta.content = wanted.dataset["own"] ?? wanted.content;
    }
  }
}
