#include "web/http/exchange.h"

#include <fmt/format.h>

#include <exception>

#include "web/http/target.h"

namespace greffe::http {
namespace {

Response thrown(const std::exception& exception) {
  return problem(500, "io_error", fmt::format("The request ended with an unexpected failure: {}.", exception.what()));
}

}  // namespace

std::variant<Response, const Route*> look_up(const Router& router, Head& head, Request& request) {
  request.method = head.method;
  request.headers = std::move(head.headers);
  request.content_length = head.content_length;
  Result<Target> target = parse_target(head.target);
  if (!target) return problem(400, "invalid", target.error().message);
  request.target = std::move(head.target);
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  RouteMatch match = router.find(request.method, request.path);
  if (match.route == nullptr && match.allowed.empty()) {
    return problem(404, "not_found", fmt::format("There is nothing at {}.", request.path));
  }
  if (match.route == nullptr) {
    Response refused = problem(405, "method_not_allowed",
                               fmt::format("This address takes {}, not {}.", match.allowed, request.method));
    refused.set("Allow", match.allowed);
    return refused;
  }
  request.parameters = std::move(match.parameters);
  const bool streamed = std::holds_alternative<StreamHandler>(match.route->handler);
  if (streamed && !head.content_length) {
    return problem(411, "length_required", "This address takes a body only with its Content-Length announced.");
  }
  if (head.content_length.value_or(0) > match.route->max_body_bytes) {
    return problem(413, "too_large",
                   fmt::format("The body has {} bytes; this address takes at most {}.", *head.content_length,
                               match.route->max_body_bytes));
  }
  return match.route;
}

std::optional<Response> call_handler(const QuickHandler& handler, const Request& request) {
  try {
    return handler(request);
  } catch (const std::exception& exception) {
    return thrown(exception);
  }
}

Response call_handler(const Handler& handler, const Request& request) {
  try {
    return handler(request);
  } catch (const std::exception& exception) {
    return thrown(exception);
  }
}

std::variant<Response, std::unique_ptr<BodySink>> call_handler(const StreamHandler& handler, const Request& request) {
  try {
    auto decision = handler(request);
    if (auto* sink = std::get_if<std::unique_ptr<BodySink>>(&decision); sink != nullptr && *sink == nullptr) {
      return problem(500, "io_error", "The request ended without a place for its body.");
    }
    return decision;
  } catch (const std::exception& exception) {
    return thrown(exception);
  }
}

std::optional<Response> feed_sink(BodySink& sink, ByteView piece, bool last) {
  try {
    if (!piece.empty()) {
      const Status written = sink.write(piece);
      if (!written) return problem(written.error());
    }
    if (!last) return std::nullopt;
    return sink.finish();
  } catch (const std::exception& exception) {
    return thrown(exception);
  }
}

}  // namespace greffe::http
