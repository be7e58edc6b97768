"""`python -m chat` is the same as `roomful`."""

from chat.cli import main

raise SystemExit(main())
