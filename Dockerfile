FROM node:24.21.0-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

# What an installed package holds, with the versions of the lock file.
FROM node:24.21.0-trixie-slim
ENV NODE_ENV=production
COPY --from=build /app/package.json /app/
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/configs/examples /app/configs/examples
COPY --from=build /app/schemas/events /app/schemas/events
COPY --from=build /app/schemas/shared /app/schemas/shared
COPY --from=build /app/schemas/released /app/schemas/released
COPY --from=build /app/dist /app/dist
RUN ln -s /app/dist/cli/atlas.js /usr/local/bin/atlas \
  && ln -s /app/dist/cli/arc-atlas.js /usr/local/bin/arc-atlas
USER node
WORKDIR /home/node
# What a worker answers at its own address; Node asks, so that the image needs no other client.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=6 \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.ATLAS_WORKER_PORT ?? 9464}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["atlas", "worker"]
