// What sites and stations say to one another about promotions. See docs/formats/machine-protocol.md, docs/decisions/0018-epochs.md.
#include "web/machine_routes.h"

namespace greffe::web {
namespace {

std::string quoted(std::string_view text) { return write_json(Json(text)); }

}  // namespace

// An archive that was promoted elsewhere takes nothing any more, and a second site takes no copies from the one that was replaced: both
// say where it goes on, with the certificate that proves it. Reading goes on. Of which epoch copies are, their replicator says: one that
// has not heard of the newest one does not claim it.
std::optional<http::Response> MachineRoutes::fenced(const http::Request& request, const archive::Peer& peer) const {
  const bool of_copies = is_replica() && peer.kind == archive::Peer::Kind::replicator;
  const auto newest = epochs_.certificate(of_copies ? peer.key.name : main_log_.archive_name());
  const auto stated = of_copies ? parse_decimal(request.header("greffe-copies-epoch")) : Result<std::uint64_t>(epoch_);
  if (!newest || newest->promotion.name.epoch <= (stated ? *stated : 1)) return std::nullopt;
  return http::problem(403, "fenced", newest->words(), "\"certificate\":" + quoted(newest->text));
}

// Open to every key and every epoch: a station that looks for its archive is known to no second site, and has not heard of the epoch that it
// is to learn. The officers' signatures are what counts, and everybody may see them.
http::Route MachineRoutes::certificate_route() {
  const http::Handler handler = [this](const http::Request& request) { return answer(certificate(request)); };
  return http::Route{"GET", "/v1/epochs/{archive}", handler, 0};
}

MachineRoutes::Answer MachineRoutes::certificate(const http::Request& request) {
  const std::string name = request.parameter("archive");
  if (!is_valid_archive_name(name)) return fail(Errc::invalid, "this is not the name of an archive");
  const auto known = epochs_.certificate(name);
  if (!known) return fail(Errc::not_found, "nothing is known here of a promotion of " + name);
  return http::json_response(200, known->text);
}

// Whoever brings it: the officers' signatures count, not the messenger's key.
MachineRoutes::Answer MachineRoutes::take_certificate(const http::Request& request, const archive::Peer&) {
  const PromotionEntry promotion = GREFFE_TRY(parse_promotion(request.body));
  const std::string& name = promotion.name.archive;
  if (name != request.parameter("archive")) return fail(Errc::invalid, "this is a promotion of " + name);
  const archive::DeclaredLost::Read known = GREFFE_TRY(main_log_.declared_lost().of(name));
  GREFFE_TRY(epochs_.take(request.body, known.declarations.officers()));
  const auto newest = epochs_.certificate(name);
  if (name == main_log_.archive_name() && newest && newest->promotion.name.epoch > epoch_) main_log_.fence(newest->words());
  return http::json_response(200, write_json(Json().set("epoch", epochs_.highest(name))));
}

MachineRoutes::Answer MachineRoutes::successors(const http::Request&, const archive::Peer&) {
  const Successors known = GREFFE_TRY(successors_.now());
  return http::json_response(200, write_successors(known));
}

}  // namespace greffe::web
