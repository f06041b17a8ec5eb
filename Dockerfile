# The image that Node comes in; any Debian-based one with node and npm will do.
ARG NODE_IMAGE=docker.io/library/node:26-bookworm-slim

# Two stages: the compiler, npm's cache and what only tests need stay out of the image that runs.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.json tsconfig.build.json ./
# A registry of your own, its certificates or its token come as a secret, which leaves no trace in
# the image: --secret id=npmrc,src=$HOME/.npmrc
RUN --mount=type=secret,id=npmrc NPM_CONFIG_USERCONFIG=/run/secrets/npmrc \
  npm ci --omit=optional --ignore-scripts --no-audit --no-fund
COPY src ./src
RUN npm run build && rm dist/.tsbuildinfo
# Installed anew without what only the build needed: several times faster than `npm prune`. The
# pinned Node is an optional package, for machines with an older one; this image brings its own.
RUN --mount=type=secret,id=npmrc NPM_CONFIG_USERCONFIG=/run/secrets/npmrc \
  npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="kvm-overcommit-exporter" \
      org.opencontainers.image.description="Prometheus exporter for over-committed KVM hosts" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY bin ./bin
# Nobody: what needs more, and how to give it, is under "Permissions" in the README.
USER 65534:65534
EXPOSE 9177
ENTRYPOINT ["/app/bin/kvm-overcommit-exporter"]
