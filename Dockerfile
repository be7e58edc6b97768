# One image that runs alone, with a private PostgreSQL in /data: docker run --init -p 8000:8000 -v roomful:/data roomful
# With DATABASE_URL it uses the PostgreSQL named there, as compose.yaml shows.

FROM node:24-slim AS client
WORKDIR /build/web
COPY web/.npmrc web/package.json web/package-lock.json ./
RUN npm ci
COPY web ./
RUN npm run build

FROM python:3.13-slim AS server
WORKDIR /build
RUN python -m venv /opt/roomful
ENV PATH=/opt/roomful/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements/server.txt requirements/embedded.txt requirements/
RUN pip install --no-deps --require-hashes --requirement requirements/server.txt --requirement requirements/embedded.txt
COPY LICENSE README.md pyproject.toml setup.cfg setup.py ./
COPY chat chat
COPY migrations migrations
COPY web/templates web/templates
COPY --from=client /build/chat/static chat/static
RUN pip install --no-deps --no-build-isolation .

FROM python:3.13-slim
# initdb wants a user with a name. The number is fixed, so that a volume keeps its owner from image to image.
RUN useradd --system --uid 10001 --home-dir /data --create-home roomful
COPY --from=server /opt/roomful /opt/roomful
ENV PATH=/opt/roomful/bin:$PATH PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', timeout=4)"]
CMD ["roomful", "serve"]
