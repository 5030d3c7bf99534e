// The routes of a replica about entries that come ahead of their objects. See docs/formats/machine-protocol.md.
#include <fmt/format.h>

#include "web/machine_routes.h"

namespace greffe::web {
namespace {

constexpr std::size_t kMaxEntries = 65'536;
constexpr std::uint64_t kMaxBodyBytes = 16 * 1024 * 1024;

// Sizes and a root, and no signature of anybody: nothing that could be taken for a receipt.
http::Response told(const archive::AheadIntake::State& state) {
  Json out;
  out.set("held_size", state.held_size).set("known_root", state.known.root).set("known_size", state.known.size);
  return http::json_response(200, write_json(out));
}

http::Response refused(const archive::NotAhead& why) {
  if (why.diverged) return http::problem(400, "diverged", why.detail);
  return http::problem(409, "conflict", why.detail, fmt::format("\"known_size\":{}", why.known_size));
}

}  // namespace

void MachineRoutes::add_ahead_routes(std::vector<http::Route>& out) {
  for (const char* base : {"/v1/hearings/{id}/ahead", "/v1/log/from/{origin}/ahead"}) {
    out.push_back(route("GET", base, &MachineRoutes::known_ahead, 0));
    out.push_back(route("POST", base, &MachineRoutes::take_ahead, kMaxBodyBytes));
  }
}

MachineRoutes::Answer MachineRoutes::known_ahead(const http::Request& request, const archive::Peer& peer) {
  const Target target = GREFFE_TRY(target_of(request));
  const archive::AheadIntake::State state = GREFFE_TRY(target.hearing ? ahead_->known(peer, *target.hearing) : ahead_->known(peer, target.origin));
  return told(state);
}

MachineRoutes::Answer MachineRoutes::take_ahead(const http::Request& request, const archive::Peer& peer) {
  const Target target = GREFFE_TRY(target_of(request));
  const Json json = GREFFE_TRY(parse_json(request.body));
  const std::uint64_t first = GREFFE_TRY(json.size("first"));
  const std::vector<std::string> entries = GREFFE_TRY(json.strings("entries"));
  const std::string checkpoint_note = GREFFE_TRY(json.string("checkpoint"));
  if (entries.size() > kMaxEntries) return fail(Errc::invalid, "send at most 65,536 entries at a time");
  const auto done = GREFFE_TRY(target.hearing ? ahead_->take(peer, *target.hearing, first, entries, checkpoint_note)
                                              : ahead_->take(peer, target.origin, first, entries, checkpoint_note));
  if (const auto* why = std::get_if<archive::NotAhead>(&done)) return refused(*why);
  return told(std::get<archive::AheadIntake::State>(done));
}

}  // namespace greffe::web
