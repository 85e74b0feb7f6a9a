# The API with the console (`left4me --role api`). The worker is not in it: it drives the machine's systemd (deploy/README.md).
#   docker build -t left4me .
FROM node:20.19.5-trixie-slim AS build
WORKDIR /src
# What the dependencies are made of, first: they are installed again only when these change.
COPY package.json package-lock.json nx.json tsconfig.base.json ./
COPY apps/api/package.json apps/api/
COPY apps/web/package.json apps/web/
COPY libs/host/package.json libs/host/
COPY apps/api/bin apps/api/bin
COPY libs/host/bin libs/host/bin
# Not `npm ci`: docs/decisions/0021.
RUN npm install --no-save --no-audit --no-fund --include=dev --include=optional
COPY apps apps
COPY libs libs
RUN node_modules/.bin/nx run-many -t build && npm prune --omit=dev --no-save --no-audit --no-fund

FROM node:20.19.5-trixie-slim
# They unpack archives that people upload.
RUN apt-get update && apt-get install -y --no-install-recommends bzip2 xz-utils zstd && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production \
    LEFT4ME_ROOT=/var/lib/left4me \
    LEFT4ME_BIND=0.0.0.0 \
    LEFT4ME_PORT=8080
WORKDIR /opt/left4me
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/package.json ./
COPY examples examples
COPY --from=build /src/apps/api/package.json apps/api/
COPY --from=build /src/apps/api/bin apps/api/bin
COPY --from=build /src/apps/api/dist apps/api/dist
COPY --from=build /src/apps/web/dist apps/web/dist
COPY --from=build /src/libs/host/package.json libs/host/
COPY --from=build /src/libs/host/bin libs/host/bin
COPY --from=build /src/libs/host/programs libs/host/programs
COPY --from=build /src/libs/host/dist libs/host/dist
# Not root; docker-compose.yml gives the numbers of the machine's left4me-web instead.
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/health/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/api/bin/left4me.mjs", "--role", "api"]
