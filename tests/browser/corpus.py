"""What people type who wish others ill: each must be shown as it is, and nothing else must come of it."""

RUN = "alert(document.domain)"

MARKUP = (
    f"<script>{RUN}</script>",
    f"<ScRiPt>{RUN}</ScRiPt>",
    f"</textarea><script>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"--><script>{RUN}</script><!--",
    f"<img src=x onerror={RUN}>",
    f'"><img src=x onerror={RUN}>',
    f"'><img src=x onerror={RUN}>",
    f'" onmouseover="{RUN}" x="',
    f"' autofocus onfocus='{RUN}",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}>",
    f"<iframe srcdoc='<script>{RUN}</script>'></iframe>",
    f"<iframe src=javascript:{RUN}></iframe>",
    f"<a href=javascript:{RUN}>press me</a>",
    f"<form action=javascript:{RUN}><button>press me</button></form>",
    f"<details open ontoggle={RUN}>more</details>",
    f"<body onload={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<object data=javascript:{RUN}></object>",
    "<base href=//evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.example/'>",
    "<style>*{display:none}</style>",
    "<img src=//evil.example/pixel.gif>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<template><script>{RUN}</script></template>",
)
ADDRESSES = (
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f"java\tscript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    f"vbscript:{RUN}",
    f"https://evil.example/\"onmouseover='{RUN}'",
    f"http://evil.example/'><script>{RUN}</script>",
    f"[press me](javascript:{RUN})",
    f'![x](x"onerror="{RUN})',
    "http://[::1",
    "https://\u202emoc.elgoog",
)
TEMPLATES = (
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"{{@html '<img src=x onerror={RUN}>'}}",
    f"${{{RUN}}}",
    f"<%= {RUN} %>",
    f"{{% raw '<script>{RUN}</script>' %}}",
    f"#{{{RUN}}}",
    "{#if true}{/if}",
)
ENTITIES = (
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    "&#60;script&#62;",
    "&amp;amp;&nbsp;&quot;&apos;",
    f"\\u003cscript\\u003e{RUN}",
    f"%3Cscript%3E{RUN}%3C/script%3E",
    "'; DROP TABLE messages; --",
    "\"'`<>&\\/",
    "$&$1$$ __proto__ constructor toString",
)
DIRECTIONS = (
    "abc\u202etxt.exe",
    "\u2067\u2066reversed\u2069\u2069",
    "مرحبا <b>bold</b>",
    "\u200b\u200binvisible\u200b",
    "line\u2028paragraph\u2029end",
)
SHORT = MARKUP + ADDRESSES + TEMPLATES + ENTITIES + DIRECTIONS
# Names of rooms are unique, however they are cased.
NAMES = tuple({text.casefold(): text for text in SHORT}.values())

ZALGO = "Z" + "\u0334\u0335\u0336\u0337\u0338\u0321\u0322\u0327\u0328\u031b\u0316\u0317\u0318\u0319\u031c\u031d" * 625
UNBROKEN = "W" * 10_000
