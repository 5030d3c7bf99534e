#include "web/machine_routes.h"

#include <fmt/format.h>

#include <algorithm>

namespace greffe::web {
namespace {

constexpr std::size_t kMaxDigests = 4096;
constexpr std::size_t kMaxEntries = 65'536;
constexpr std::size_t kMaxShown = 1024;
constexpr std::size_t kMaxNonce = 128;
constexpr std::uint64_t kMaxEntriesBodyBytes = 16 * 1024 * 1024;
constexpr std::uint64_t kMaxHaveBodyBytes = 512 * 1024;
constexpr std::uint64_t kMaxSharesBodyBytes = 256 * 1024;
constexpr const char* kEpochHeader = "Greffe-Epoch";
constexpr int kNoSpace = 507;
// Volumes have room again when somebody adds one, a quota when entries come. The same for both, so that nobody is pressed.
constexpr const char* kRetryAfterS = "30";

http::Response ok_json(const Json& json) { return http::json_response(200, write_json(json)); }

Json::Array to_array(const std::vector<Digest>& digests) {
  Json::Array out;
  for (const Digest& digest : digests) out.push_back(digest);
  return out;
}

Result<std::vector<ShownEntry>> shown_in(const Json& body) {
  std::vector<ShownEntry> out;
  if (!body.has("shown")) return out;
  const Json::Array list = GREFFE_TRY(body.array("shown"));
  if (list.size() > kMaxShown) return fail(Errc::invalid, "show at most 1,024 entries ahead");
  for (const Json& one : list) out.push_back({GREFFE_TRY(one.string("entry")), GREFFE_TRY(one.string("proof"))});
  return out;
}

// Of the query; none: it is not there.
Result<std::optional<std::uint64_t>> number_in(const http::Request& request, const std::string& name) {
  const std::string text = request.query_value(name);
  if (text.empty()) return std::optional<std::uint64_t>();
  return std::optional(GREFFE_TRY(parse_decimal(text)));
}

// What the sender must do first stands in members of the problem.
http::Response unready(const archive::Unready& why) {
  if (why.diverged) return http::problem(400, "diverged", why.detail);
  std::string extra;
  if (why.held_size) extra += fmt::format("\"held_size\":{}", *why.held_size);
  if (!why.missing.empty()) {
    Json missing(to_array(why.missing));
    extra += (extra.empty() ? "" : ",") + std::string("\"missing\":") + write_json(missing);
  }
  return http::problem(409, "conflict", why.detail, extra);
}

// The body of a PUT, on its way into the pool.
class ObjectSink : public http::BodySink {
 public:
  using Deposited = std::function<Status()>;
  ObjectSink(std::unique_ptr<store::ObjectWriter> writer, Digest digest, std::uint64_t bytes, std::string epoch, Deposited deposited)
      : writer_(std::move(writer)), digest_(digest), bytes_(bytes), epoch_(std::move(epoch)), deposited_(std::move(deposited)) {}

  Status write(ByteView piece) override { return writer_->write(piece); }

  http::Response finish() override {
    http::Response response = store();
    response.set(kEpochHeader, epoch_);
    return response;
  }

 private:
  http::Response store() {
    const Status stored = writer_->commit(digest_);
    if (!stored && stored.error().code == Errc::conflict) {
      return http::problem(422, "corrupt", "The bytes that arrived do not have the digest in the address; nothing was stored. "
                                           "Read them again and send them again.");
    }
    if (!stored) return http::problem(stored.error());
    const Status counted = deposited_();
    if (!counted) return http::problem(counted.error());
    return http::json_response(201, fmt::format("{{\"bytes\":{}}}", bytes_));
  }

  std::unique_ptr<store::ObjectWriter> writer_;
  const Digest digest_;
  const std::uint64_t bytes_;
  const std::string epoch_;
  const Deposited deposited_;
};

}  // namespace

MachineRoutes::MachineRoutes(std::uint64_t epoch, archive::Epochs& epochs, archive::MainLog& main_log, archive::Deposit& deposit,
                             archive::Peers& peers, archive::Retrieval& retrieval, archive::ReadBack& read_back,
                             archive::LostObjects& lost, archive::OriginWatch& origins, archive::SuccessorFacts& successors,
                             std::optional<Replica> replica, std::optional<Promoted> promoted)
    : epoch_(epoch), epochs_(epochs), main_log_(main_log), deposit_(deposit), peers_(peers), retrieval_(retrieval), read_back_(read_back),
      lost_(lost), origins_(origins), successors_(successors), foreign_(replica ? &replica->foreign : promoted ? &promoted->foreign : nullptr),
      grafts_(promoted ? &promoted->grafts : nullptr), comparisons_(replica ? &replica->comparisons : nullptr), ahead_(replica ? &replica->ahead : nullptr),
      shares_(replica ? &replica->shares : nullptr) {}

http::Response MachineRoutes::answer(Answer response) const {
  http::Response out = response ? std::move(*response) : http::problem(response.error());
  if (out.status == kNoSpace) out.set("Retry-After", kRetryAfterS);
  out.set(kEpochHeader, std::to_string(newest_epoch()));
  return out;
}

std::uint64_t MachineRoutes::newest_epoch() const { return std::max(epoch_, epochs_.highest(main_log_.archive_name())); }

// An old primary must not write after a promotion: a lower epoch is refused, and the answer says which one holds.
Result<archive::Peer> MachineRoutes::admit_reader(const http::Request& request) const {
  const std::string header = request.header("greffe-epoch");
  const auto epoch = parse_decimal(header);
  if (!epoch || *epoch < epoch_) {
    return fail(Errc::denied, fmt::format("this archive is in epoch {}; your request is of epoch {}: it was not carried out",
                                          epoch_, header.empty() ? "none" : header.substr(0, 20)));
  }
  if (!request.peer_key) return fail(Errc::denied, "this listener needs a client key");
  PublicKey key;
  key.bytes = *request.peer_key;
  archive::Peer peer = GREFFE_TRY(peers_.identify(key));
  if (peer.kind == archive::Peer::Kind::replicator) origins_.heard(peer.key.name);
  return peer;
}

Result<archive::Peer> MachineRoutes::admit(const http::Request& request) const {
  archive::Peer peer = GREFFE_TRY(admit_reader(request));
  if (peer.kind != archive::Peer::Kind::reader) return peer;
  return fail(Errc::denied, "this key may read single objects, ask what is shared with its archive, and nothing else");
}

http::Route MachineRoutes::route_for_readers(std::string method, std::string pattern, PeerHandler handler, std::uint64_t max_body_bytes) {
  const http::Handler wrapped = [this, handler](const http::Request& request) {
    const auto peer = admit_reader(request);
    if (!peer) return answer(peer.error());
    return answer((this->*handler)(request, *peer));
  };
  return http::Route{std::move(method), std::move(pattern), wrapped, max_body_bytes};
}

http::Route MachineRoutes::route(std::string method, std::string pattern, PeerHandler handler, std::uint64_t max_body_bytes) {
  const bool changes = method == "POST" && handler != &MachineRoutes::echo && handler != &MachineRoutes::take_certificate;
  const http::Handler wrapped = [this, handler, changes](const http::Request& request) {
    const auto peer = admit(request);
    if (!peer) return answer(peer.error());
    if (auto stopped = changes ? fenced(request, *peer) : std::nullopt) return answer(*std::move(stopped));
    return answer((this->*handler)(request, *peer));
  };
  return http::Route{std::move(method), std::move(pattern), wrapped, max_body_bytes};
}

http::Route MachineRoutes::body_route(std::string pattern, BodyHandler handler) {
  const http::StreamHandler put = [this, handler](const http::Request& request) -> std::variant<http::Response, std::unique_ptr<http::BodySink>> {
    std::unique_ptr<http::BodySink> sink;
    Answer refused = (this->*handler)(request, sink);
    if (sink) return sink;
    return answer(std::move(refused));
  };
  return http::Route{"PUT", std::move(pattern), put, kMaxObjectBytes};
}

std::vector<http::Route> MachineRoutes::routes() {
  std::vector<http::Route> out;
  const http::Handler enrolment = [this](const http::Request& request) { return answer(enrol(request)); };
  out.push_back({"POST", "/v1/enrol", enrolment, 4096});
  out.push_back(route("POST", "/v1/echo", &MachineRoutes::echo, 4096));
  out.push_back(certificate_route());
  out.push_back(route("POST", "/v1/epochs/{archive}", &MachineRoutes::take_certificate, kMaxEntryBytes));
  out.push_back(route("GET", "/v1/successors", &MachineRoutes::successors, 0));
  std::vector<std::string> bases = {"/v1/hearings/{id}"};
  if (foreign_ != nullptr) bases.push_back("/v1/log/from/{origin}");
  for (const std::string& base : bases) {
    out.push_back(route("POST", base + "/have", &MachineRoutes::have, kMaxHaveBodyBytes));
    out.push_back(body_route(base + "/objects/{sha256}", &MachineRoutes::begin_object));
    out.push_back(route("HEAD", base + "/objects/{sha256}", &MachineRoutes::head_object, 0));
    out.push_back(route_for_readers("GET", base + "/objects/{sha256}", &MachineRoutes::get_object, 0));
    out.push_back(route("POST", base + "/entries", &MachineRoutes::entries, kMaxEntriesBodyBytes));
    out.push_back(route("GET", base + "/checkpoint", &MachineRoutes::checkpoint, 0));
    out.push_back(route("GET", base + "/entries", &MachineRoutes::read_entries, 0));
  }
  if (grafts_ != nullptr) out.push_back(route("POST", "/v1/log/from/{origin}/graft", &MachineRoutes::graft, kMaxNoteBytes * 2));
  if (is_replica()) out.push_back(route("GET", "/v1/log/from/{origin}/hearings", &MachineRoutes::hearings_of_day, 0));
  out.push_back(route("GET", "/v1/lost-objects", &MachineRoutes::lost_objects, 0));
  out.push_back(route("POST", "/v1/lost-objects", &MachineRoutes::report_absent, kMaxHaveBodyBytes));
  out.push_back(body_route("/v1/lost-objects/{sha256}", &MachineRoutes::begin_return));
  if (is_replica()) out.push_back(route_for_readers("POST", "/v1/shares", &MachineRoutes::shares, kMaxSharesBodyBytes));
  if (is_replica()) add_comparison_routes(out);
  if (ahead_ != nullptr) add_ahead_routes(out);
  out.push_back(route("POST", "/v1/hearings/{id}/cosignatures", &MachineRoutes::hearing_cosignatures, kMaxNoteBytes * 2));
  out.push_back(route("GET", "/v1/log/main/checkpoint", &MachineRoutes::main_checkpoint, 0));
  out.push_back(route("GET", "/v1/log/main/consistency", &MachineRoutes::main_consistency, 0));
  out.push_back(route("POST", "/v1/log/main/cosignatures", &MachineRoutes::main_cosignatures, kMaxNoteBytes * 2));
  return out;
}

MachineRoutes::Answer MachineRoutes::enrol(const http::Request& request) {
  if (!request.peer_key) return fail(Errc::denied, "this listener needs a client key");
  const Json json = GREFFE_TRY(parse_json(request.body));
  const std::string secret = GREFFE_TRY(json.string("secret"));
  const std::string name = GREFFE_TRY(json.string("name"));
  const std::string role = GREFFE_TRY(json.string("role"));
  PublicKey key;
  key.bytes = *request.peer_key;
  const catalogue::KnownKey known = GREFFE_TRY(peers_.enrol(key, secret, name, role));
  Json out;
  out.set("archive", main_log_.archive_name()).set("court", known.court).set("epoch", newest_epoch()).set("name", known.name);
  out.set("role", known.role).set("room", known.room);
  return ok_json(out);
}

// That this archive answers, now: whoever asks chose the nonce, and the connection proves the key.
MachineRoutes::Answer MachineRoutes::echo(const http::Request& request, const archive::Peer&) {
  const Json json = GREFFE_TRY(parse_json(request.body));
  const std::string nonce = GREFFE_TRY(json.string("nonce"));
  if (nonce.empty() || nonce.size() > kMaxNonce) return fail(Errc::invalid, "a nonce has 1 to 128 characters");
  Json out;
  out.set("epoch", newest_epoch()).set("nonce", nonce);
  return ok_json(out);
}

Result<MachineRoutes::Target> MachineRoutes::target_of(const http::Request& request) const {
  Target target;
  if (const std::string id = request.parameter("id"); !id.empty()) {
    target.hearing = GREFFE_TRY(parse_hearing_id(id));
    return target;
  }
  GREFFE_CHECK(foreign_ != nullptr);
  const Digest digest = GREFFE_TRY(digest_from_hex(request.parameter("origin")));
  target.origin = GREFFE_TRY(foreign_->origin_of(digest));
  return target;
}

Result<std::vector<Digest>> MachineRoutes::missing_of(const Target& target, const archive::Peer& peer,
                                                      const std::vector<Digest>& digests) {
  return target.hearing ? deposit_.missing(*target.hearing, digests) : foreign_->missing(peer, target.origin, digests);
}

MachineRoutes::Answer MachineRoutes::have(const http::Request& request, const archive::Peer& peer) {
  const Target target = GREFFE_TRY(target_of(request));
  const Json json = GREFFE_TRY(parse_json(request.body));
  const std::vector<std::string> texts = GREFFE_TRY(json.strings("digests"));
  if (texts.size() > kMaxDigests) return fail(Errc::invalid, "ask for at most 4,096 digests at a time");
  std::vector<Digest> digests;
  for (const std::string& text : texts) digests.push_back(GREFFE_TRY(digest_from_hex(text)));
  const std::vector<Digest> missing = GREFFE_TRY(missing_of(target, peer, digests));
  Json out;
  out.set("missing", to_array(missing));
  return ok_json(out);
}

MachineRoutes::Answer MachineRoutes::head_object(const http::Request& request, const archive::Peer& peer) {
  const Target target = GREFFE_TRY(target_of(request));
  const Digest digest = GREFFE_TRY(digest_from_hex(request.parameter("sha256")));
  const std::vector<Digest> missing = GREFFE_TRY(missing_of(target, peer, {digest}));
  if (!missing.empty()) return fail(Errc::not_found, "this object was not deposited for this log");
  return http::text_response(200, "", "application/octet-stream");
}

// At a replica each origin's key opens that origin's hearings; a primary has none but its own.
Status MachineRoutes::may_read(const HearingId& hearing, const archive::Peer& peer) const {
  if (!is_replica() && peer.kind == archive::Peer::Kind::replicator) return ok();
  const std::string archive = GREFFE_TRY(retrieval_.archive_of(hearing));
  return archive == peer.key.name ? ok() : Status(fail(Errc::denied, "this hearing belongs to another archive than " + peer.key.name));
}

// Only what is here: a site that asked another one in its turn could be asked by that one.
MachineRoutes::Answer MachineRoutes::get_object(const http::Request& request, const archive::Peer& peer) {
  const bool reads = peer.kind == archive::Peer::Kind::replicator || peer.kind == archive::Peer::Kind::reader;
  if (!reads) return fail(Errc::denied, "objects are given back to the other site only");
  const Target target = GREFFE_TRY(target_of(request));
  const Digest digest = GREFFE_TRY(digest_from_hex(request.parameter("sha256")));
  if (target.hearing) GREFFE_TRY(may_read(*target.hearing, peer));
  const std::optional<std::uint64_t> entry = GREFFE_TRY(number_in(request, "entry"));
  std::shared_ptr<ReadableFile> file = GREFFE_TRY(target.hearing ? retrieval_.open_here(*target.hearing, digest)
                                                                 : foreign_->open_document(peer, target.origin, digest, entry));
  const std::uint64_t size = GREFFE_TRY(file->size());
  return http::file_response(request, std::move(file), size, "application/octet-stream", "\"" + digest.hex() + "\"");
}

// Whether the other site may have what this place names: of main logs that are held at one site only it has nothing.
bool MachineRoutes::is_shared(const archive::NamedPlace& place) const {
  return place.hearing || !is_replica() == (place.log == main_log_.place().path);
}

// What no volume of this archive has any more, as far as it is known which log names it.
MachineRoutes::Answer MachineRoutes::lost_objects(const http::Request&, const archive::Peer& peer) {
  if (peer.kind != archive::Peer::Kind::replicator) return fail(Errc::denied, "what is lost is told to the other site only");
  Json::Array list;
  Json::Array documents;
  for (const auto& [digest, lost] : lost_.all()) {
    const bool full = list.size() >= kMaxDigests || documents.size() >= kMaxDigests;
    if (!lost.place || !is_shared(*lost.place) || full || lost_.give_up(digest)) continue;
    if (!lost.place->hearing) {
      documents.emplace_back(digest);
      continue;
    }
    Json one;
    one.set("hearing", lost.place->hearing->text()).set("sha256", digest);
    list.push_back(std::move(one));
  }
  Json out;
  out.set("documents", std::move(documents)).set("objects", std::move(list));
  return ok_json(out);
}

// Of an archive whose copies are held here: what others share with its courts.
MachineRoutes::Answer MachineRoutes::shares(const http::Request& request, const archive::Peer& peer) {
  const bool reads = peer.kind == archive::Peer::Kind::reader;
  if (!reads) return fail(Errc::denied, "what is shared with an archive is told to that archive only");
  const LookedAt looked_at = GREFFE_TRY(parse_shares_question(request.body));
  const SharesTold told = GREFFE_TRY(shares_->tell(peer.key.name, looked_at));
  return http::json_response(200, write_shares_told(told));
}

// Nobody's word makes an object lost: this archive looks for it.
MachineRoutes::Answer MachineRoutes::report_absent(const http::Request& request, const archive::Peer& peer) {
  if (peer.kind != archive::Peer::Kind::replicator) return fail(Errc::denied, "what is missing is told by the other site only");
  AbsentObjects absent = GREFFE_TRY(parse_absent_objects(request.body));
  const std::uint64_t lost = GREFFE_TRY(lost_.look_for({absent.hearing, std::move(absent.objects)}, main_log_.place().path));
  return ok_json(Json().set("lost", lost));
}

MachineRoutes::Answer MachineRoutes::begin_return(const http::Request& request, std::unique_ptr<http::BodySink>& sink) {
  const archive::Peer peer = GREFFE_TRY(admit(request));
  if (auto stopped = fenced(request, peer)) return *std::move(stopped);
  if (peer.kind != archive::Peer::Kind::replicator) return fail(Errc::denied, "what was lost is taken from the other site only");
  const Digest digest = GREFFE_TRY(digest_from_hex(request.parameter("sha256")));
  if (!request.content_length) return http::problem(411, "invalid", "An object is sent with its length.");
  const std::uint64_t size = *request.content_length;
  auto writer = lost_.begin_return(digest, size);
  if (!writer) return writer.error();
  sink = std::make_unique<ObjectSink>(std::move(*writer), digest, size, std::to_string(newest_epoch()), [this, digest]() -> Status {
    lost_.returned(digest);
    return ok();
  });
  return http::Response{};
}

MachineRoutes::Answer MachineRoutes::begin_object(const http::Request& request, std::unique_ptr<http::BodySink>& sink) {
  const archive::Peer peer = GREFFE_TRY(admit(request));
  if (auto stopped = fenced(request, peer)) return *std::move(stopped);
  const Target target = GREFFE_TRY(target_of(request));
  const Digest digest = GREFFE_TRY(digest_from_hex(request.parameter("sha256")));
  if (!request.content_length) return http::problem(411, "invalid", "An object is sent with its length.");
  const std::uint64_t size = *request.content_length;
  auto writer = target.hearing ? deposit_.begin_object(peer, *target.hearing, digest, size)
                               : foreign_->begin_object(peer, target.origin, size);
  if (!writer) return writer.error();
  sink = std::make_unique<ObjectSink>(std::move(*writer), digest, size, std::to_string(newest_epoch()), [this, peer, target, digest, size]() -> Status {
    if (!target.hearing) return foreign_->deposited(target.origin, digest, size);
    deposit_.deposited(peer, *target.hearing, digest, size);
    return ok();
  });
  return http::Response{};
}

MachineRoutes::Answer MachineRoutes::entries(const http::Request& request, const archive::Peer& peer) {
  const Target target = GREFFE_TRY(target_of(request));
  const Json json = GREFFE_TRY(parse_json(request.body));
  const std::uint64_t first = GREFFE_TRY(json.size("first"));
  const std::vector<std::string> entries = GREFFE_TRY(json.strings("entries"));
  const std::string checkpoint_note = GREFFE_TRY(json.string("checkpoint"));
  if (entries.size() > kMaxEntries) return fail(Errc::invalid, "send at most 65,536 entries at a time");
  const std::vector<ShownEntry> shown = GREFFE_TRY(shown_in(json));
  const auto done = target.hearing ? deposit_.append(peer, *target.hearing, first, entries, checkpoint_note, shown)
                                   : foreign_->append(peer, target.origin, first, entries, checkpoint_note, shown);
  if (!done) return done.error();
  if (const auto* why = std::get_if<archive::Unready>(&*done)) return unready(*why);
  const SignedCheckpoint& receipt = std::get<archive::Receipt>(*done).checkpoint;
  if (target.hearing) read_back_.follow(*target.hearing, receipt.checkpoint.size);
  Json out;
  out.set("checkpoint", receipt.note.write());
  return ok_json(out);
}

// The sender says with this checkpoint that the old log ends there.
MachineRoutes::Answer MachineRoutes::graft(const http::Request& request, const archive::Peer& peer) {
  const Target target = GREFFE_TRY(target_of(request));
  const Json json = GREFFE_TRY(parse_json(request.body));
  const std::string checkpoint_note = GREFFE_TRY(json.string("checkpoint"));
  const auto made = GREFFE_TRY(grafts_->make(peer, target.origin, checkpoint_note));
  if (const auto* why = std::get_if<archive::Unready>(&made)) return unready(*why);
  const auto& done = std::get<archive::Grafts::Done>(made);
  return ok_json(Json().set("entries", done.entries).set("hearings", done.hearings).set("number", done.number).set("size", done.size));
}

// A station's question makes this archive read back what it has not, after a start for example. A replicator's does not:
// it asks about every hearing that there is.
std::uint64_t MachineRoutes::read_back_size(const HearingId& id, std::uint64_t held, const archive::Peer& peer) {
  if (peer.kind == archive::Peer::Kind::station) read_back_.follow(id, held);
  return std::min(read_back_.size(id), held);
}

MachineRoutes::Answer MachineRoutes::checkpoint(const http::Request& request, const archive::Peer& peer) {
  const Target target = GREFFE_TRY(target_of(request));
  const auto held = target.hearing ? deposit_.checkpoint(*target.hearing) : foreign_->checkpoint(target.origin);
  if (!held) return held.error();
  // Only hearings are read back: no lamp waits for another archive's main log.
  const std::uint64_t read_back = target.hearing ? read_back_size(*target.hearing, held->checkpoint.size, peer) : 0;
  Json out;
  out.set("checkpoint", held->note.write()).set("read_back_size", read_back).set("size", held->checkpoint.size);
  if (const std::string from = request.query_value("from"); !from.empty() && target.hearing) {
    const std::uint64_t size = GREFFE_TRY(parse_decimal(from));
    const std::vector<Digest> proof = GREFFE_TRY(deposit_.consistency(*target.hearing, size, held->checkpoint.size));
    out.set("consistency", to_array(proof));
  }
  return ok_json(out);
}

// For a pool that is rebuilt from here.
MachineRoutes::Answer MachineRoutes::read_entries(const http::Request& request, const archive::Peer& peer) {
  if (!is_replica()) return fail(Errc::denied, "this archive is a primary: entries are read from a site that holds copies");
  const Target target = GREFFE_TRY(target_of(request));
  const auto first = GREFFE_TRY(number_in(request, "first"));
  const auto last = GREFFE_TRY(number_in(request, "last"));
  if (!first) return fail(Errc::invalid, "say from which entry on: first=N");
  tlog::LogPiece piece = GREFFE_TRY(target.hearing ? foreign_->read_entries(peer, *target.hearing, *first, last)
                                                      : foreign_->read_entries(peer, target.origin, *first, last));
  Json::Array entries;
  for (std::string& entry : piece.entries) entries.emplace_back(std::move(entry));
  Json out;
  out.set("checkpoint", piece.head.note.write()).set("entries", std::move(entries)).set("first", piece.first);
  if (!piece.kept.empty()) out.set("kept", Json::Array(piece.kept.begin(), piece.kept.end()));
  return ok_json(out);
}

MachineRoutes::Answer MachineRoutes::hearings_of_day(const http::Request& request, const archive::Peer& peer) {
  const Target target = GREFFE_TRY(target_of(request));
  const std::vector<HearingId> ids = GREFFE_TRY(foreign_->hearings_of_day(peer, target.origin, request.query_value("day")));
  Json::Array hearings;
  for (const HearingId& id : ids) hearings.emplace_back(id.text());
  Json out;
  out.set("hearings", std::move(hearings));
  return ok_json(out);
}

// What a station must have seen before it begins a hearing.
MachineRoutes::Answer MachineRoutes::main_checkpoint(const http::Request&, const archive::Peer&) {
  const SignedCheckpoint head = GREFFE_TRY(main_log_.reader().checkpoint());
  return http::text_response(200, head.note.write());
}

MachineRoutes::Answer MachineRoutes::main_consistency(const http::Request& request, const archive::Peer&) {
  const std::uint64_t from = GREFFE_TRY(parse_decimal(request.query_value("from")));
  const std::uint64_t to = GREFFE_TRY(parse_decimal(request.query_value("to")));
  const std::vector<Digest> proof = GREFFE_TRY(main_log_.reader().consistency(from, to));
  Json out;
  out.set("consistency", to_array(proof));
  return ok_json(out);
}

// The enrolled cosigners whose lines this note carries: a site confirms what it was given, and that has the lines of those who
// confirmed before it.
Result<std::vector<VerifierKey>> MachineRoutes::cosigners_of(const SignedNote& note) const {
  std::vector<VerifierKey> known = GREFFE_TRY(peers_.cosigners());
  std::erase_if(known, [&](const VerifierKey& cosigner) { return !verify_cosignature(note, cosigner); });
  if (!known.empty()) return known;
  return fail(Errc::denied, "no cosigner that this archive knows signed this checkpoint; add it with `cosigner add`");
}

MachineRoutes::Answer MachineRoutes::hearing_cosignatures(const http::Request& request, const archive::Peer&) {
  const HearingId id = GREFFE_TRY(parse_hearing_id(request.parameter("id")));
  const Json json = GREFFE_TRY(parse_json(request.body));
  const std::string text = GREFFE_TRY(json.string("checkpoint"));
  const SignedCheckpoint cosigned = GREFFE_TRY(parse_signed_checkpoint(text));
  const std::vector<VerifierKey> cosigners = GREFFE_TRY(cosigners_of(cosigned.note));
  for (const VerifierKey& cosigner : cosigners) GREFFE_TRY(deposit_.add_cosignature(id, cosigned, cosigner));
  return ok_json(Json());
}

MachineRoutes::Answer MachineRoutes::main_cosignatures(const http::Request& request, const archive::Peer&) {
  const Json json = GREFFE_TRY(parse_json(request.body));
  const std::string text = GREFFE_TRY(json.string("checkpoint"));
  const SignedCheckpoint cosigned = GREFFE_TRY(parse_signed_checkpoint(text));
  const std::vector<VerifierKey> cosigners = GREFFE_TRY(cosigners_of(cosigned.note));
  for (const VerifierKey& cosigner : cosigners) GREFFE_TRY(main_log_.add_cosignature(cosigned, cosigner));
  return ok_json(Json());
}

}  // namespace greffe::web
