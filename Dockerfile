# The whole service in one static binary, run by a user without rights.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /earshot ./cmd/earshot && mkdir /data

FROM gcr.io/distroless/static:nonroot
COPY --from=build /earshot /earshot
COPY --from=build --chown=nonroot:nonroot /data /data
VOLUME /data
EXPOSE 8080
# Reached from outside the container, so a key must be given: EARSHOT_ADMIN_KEY.
ENV EARSHOT_LISTEN=0.0.0.0:8080 EARSHOT_DATA=/data
ENTRYPOINT ["/earshot"]
CMD ["serve"]
