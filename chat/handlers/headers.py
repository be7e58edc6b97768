"""The headers that every answer carries: what a browser may do with our pages, and who may embed or read them."""

from chat.config import Settings

# Everything comes from this server and nothing is inline. Svelte makes its templates through a Trusted Types policy of
# its own name (svelte/src/internal/client/dom/reconciler.js), and the client names its service worker's one address
# through another (web/src/lib/installation.ts); any other way from text to markup or script is blocked.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "media-src 'self' blob:",
        "font-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "require-trusted-types-for 'script'",
        "trusted-types svelte-trusted-html roomful-service-worker",
    )
)
# Nothing that we have needs one of these; a script that got in should not have them either.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "browsing-topics",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "serial",
        "usb",
    )
)
A_YEAR = 365 * 24 * 60 * 60


def security_headers(settings: Settings) -> dict[str, str]:
    """For all doors, the refused and the broken answers included."""
    headers = {
        "Server": "Roomful",
        "Cache-Control": "no-store",
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS_POLICY,
        # Not no-referrer: browsers would then send `Origin: null` with our own forms.
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    if settings.secure:
        headers["Strict-Transport-Security"] = f"max-age={A_YEAR}"
    return headers
