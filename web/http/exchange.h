// What is decided about a request before its body: the route, or the answer at once. Pure.
#ifndef GREFFE_WEB_HTTP_EXCHANGE_H
#define GREFFE_WEB_HTTP_EXCHANGE_H

#include <variant>

#include "web/http/head.h"
#include "web/http/message.h"
#include "web/http/router.h"

namespace greffe::http {

// Fills `request` with path, query, headers (taken out of `head`) and parameters. A Response: 400, 404, 405, 411 or 413.
std::variant<Response, const Route*> look_up(const Router& router, Head& head, Request& request);

// Handlers, with the last net below them: what third-party code throws becomes a 500. On a worker thread, but the quick one.
std::optional<Response> call_handler(const QuickHandler& handler, const Request& request);
Response call_handler(const Handler& handler, const Request& request);
std::variant<Response, std::unique_ptr<BodySink>> call_handler(const StreamHandler& handler, const Request& request);
// Writes the piece and, after the last one, finishes. nullopt: more is wanted. A Response ends the request.
std::optional<Response> feed_sink(BodySink& sink, ByteView piece, bool last);

}  // namespace greffe::http

#endif
