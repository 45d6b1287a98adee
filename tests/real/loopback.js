// Preloaded into servers that have no flag for it: whatever listens, listens on 127.0.0.1 only.
const { Server } = require("net");
const listen = Server.prototype.listen;
Server.prototype.listen = function (port, ...rest) {
  const options = port !== null && typeof port === "object" ? port : { port };
  return listen.call(this, { ...options, host: "127.0.0.1" }, ...rest.filter((entry) => typeof entry === "function"));
};
