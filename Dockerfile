# Two stages: npm and its cache stay out of the image that runs.
FROM docker.io/library/node:26-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The pinned `node` package is for machines with an older Node; this image brings its own.
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/node node_modules/.bin/node

FROM docker.io/library/node:26-bookworm-slim
LABEL org.opencontainers.image.title="kvm-overcommit-exporter" \
      org.opencontainers.image.description="Prometheus exporter for over-committed KVM hosts" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY src ./src
# Reading other users' processes (KSM per guest, smaps) needs root or CAP_SYS_PTRACE; everything
# else works as nobody.
USER 65534:65534
EXPOSE 9177
ENTRYPOINT ["node", "src/main.ts"]
