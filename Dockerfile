# syntax=docker/dockerfile:1
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# SQLite's library is an optional package to npm, and none to this image. Its binary is in the package, so nothing is compiled.
RUN npm ci && node -e "new (require('better-sqlite3-13'))(':memory:')"
COPY . .
# The image gets no compiler, no TypeScript and no source maps, and a list of what it consists of: dist/sbom.cdx.json.
RUN npm run build && npm run sbom && npm prune --omit=dev && node scripts/strip-installation.mjs .

FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 LOG_FORMAT=json \
    GATEWAY_DATA_DIR=/data DATABASE_URL=sqlite:/data/gateway.sqlite
WORKDIR /app
COPY --from=build --chown=root:root /app/package.json ./
COPY --from=build --chown=root:root /app/node_modules ./node_modules
COPY --from=build --chown=root:root /app/dist ./dist
COPY --from=build --chown=root:root /app/bin ./bin
# Without sources it builds nothing; npm scripts such as migration:show and config:check call it.
COPY --from=build --chown=root:root /app/scripts/build.mjs ./scripts/build.mjs
RUN ln -s /app/bin/llm-gateway.mjs /usr/local/bin/llm-gateway
# The root file system may be read-only: everything that is written goes to /data.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# The flag keeps memory low, see docs/performance.md.
CMD ["node", "--max-semi-space-size=4", "dist/main.js"]
