FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

# What an installed package holds, with the versions of the lock file.
FROM node:24-slim
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
CMD ["atlas", "worker"]
