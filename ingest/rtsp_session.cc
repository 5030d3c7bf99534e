#include "ingest/rtsp_session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ingest/libav_owners.h"
#include "ingest/monotonic.h"

namespace greffe::ingest {
namespace {

constexpr std::size_t kMostInFrame = 65'535;
constexpr std::int64_t kLookUp_us = 100'000;       // how long one wait for bytes lasts
constexpr std::int64_t kSend_s = 3;                // a camera that does not even take a request is gone
constexpr std::int64_t kReportEvery_us = 1'000'000;
constexpr std::uint64_t kUsualTimeout_s = 60;      // RFC 2326, section 12.37
constexpr std::uint8_t kReceiverReport = 201;      // RFC 3550, section 12.1

Error no_answer() { return fail(Errc::unavailable, "it does not answer in time"); }
Error broke(int error) { return fail(Errc::unavailable, fmt::format("the connection broke: {}", std::strerror(error))); }

Error not_connected(int error) {
  if (error == ECONNREFUSED) return fail(Errc::unavailable, "it refuses the connection: is it switched on?");
  return fail(Errc::unavailable, fmt::format("it cannot be reached: {}", std::strerror(error)));
}

int wait_ms(std::int64_t until_us) { return static_cast<int>(std::clamp<std::int64_t>((until_us - monotonic_us()) / 1000 + 1, 0, 60'000)); }

// "12;timeout=60": the name of the session and how long it lives without a word.
std::uint64_t timeout_of(std::string_view session) {
  const std::size_t at = session.find("timeout=");
  if (at == std::string_view::npos) return kUsualTimeout_s;
  const std::string_view rest = session.substr(at + 8);
  const auto seconds = parse_decimal(rest.substr(0, rest.find_first_not_of("0123456789")));
  return seconds && *seconds > 0 ? std::min<std::uint64_t>(*seconds, 3'600) : kUsualTimeout_s;
}

// "RTP/AVP/TCP;unicast;interleaved=2-3": 2.
Result<std::uint8_t> channel_of(std::string_view transport) {
  const std::size_t at = transport.find("interleaved=");
  if (at == std::string_view::npos) return std::uint8_t{0};
  const std::string_view rest = transport.substr(at + 12);
  const auto number = parse_decimal(rest.substr(0, rest.find_first_not_of("0123456789")));
  if (!number || *number > 254) return fail(Errc::invalid, "it sends over a channel that cannot be");
  return static_cast<std::uint8_t>(*number);
}

}  // namespace

Result<CameraPlace> find_camera(const SourceAddress& address) {
  const std::string& place = address.place;
  std::string host = place.substr(0, place.find('/'));
  std::string port = "554";
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.rfind(':');
  if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
    port = host.substr(colon + 1);
    host.resize(colon);
  }
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found);
  if (code != 0) return fail(Errc::unavailable, fmt::format("the name {} is not known here: {}", host, ::gai_strerror(code)));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  CameraPlace out;
  out.url = "rtsp://" + place;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    CameraPlace::Way way;
    if (one->ai_addrlen > sizeof way.address) continue;
    std::memcpy(&way.address, one->ai_addr, one->ai_addrlen);
    way.size = one->ai_addrlen;
    out.ways.push_back(way);
  }
  return out;
}

Result<Descriptor> RtspSession::connect_one(const CameraPlace::Way& way, std::int64_t until_us) {
  Descriptor out(::socket(way.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!out.is_open()) return not_connected(errno);
  if (::connect(out.get(), reinterpret_cast<const sockaddr*>(&way.address), way.size) != 0) {
    if (errno != EINPROGRESS) return not_connected(errno);
    pollfd wait{out.get(), POLLOUT, 0};
    while (::poll(&wait, 1, wait_ms(until_us)) <= 0) {
      if (monotonic_us() > until_us) return no_answer();
    }
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(out.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return not_connected(error != 0 ? error : errno);
  }
  // One call brings a burst of packets, or says that nothing came for a while.
  const timeval receive{0, kLookUp_us};
  const timeval send{kSend_s, 0};
  const bool set = ::fcntl(out.get(), F_SETFL, 0) == 0 && ::setsockopt(out.get(), SOL_SOCKET, SO_RCVTIMEO, &receive, sizeof receive) == 0 &&
                   ::setsockopt(out.get(), SOL_SOCKET, SO_SNDTIMEO, &send, sizeof send) == 0;
  if (!set) return not_connected(errno);
  return out;
}

Result<Descriptor> RtspSession::connect(const CameraPlace& place, std::int64_t until_us) {
  Error why = no_answer();
  for (const CameraPlace::Way& way : place.ways) {
    auto connected = connect_one(way, until_us);
    if (connected) return connected;
    why = connected.error();
  }
  return why;
}

Result<std::unique_ptr<RtspSession>> RtspSession::open(const CameraPlace& place, const SourceAddress& address, bool video, std::int64_t until_us) {
  Descriptor socket = GREFFE_TRY(connect(place, until_us));
  std::unique_ptr<RtspSession> out(new RtspSession(std::move(socket), place, address));
  GREFFE_TRY(out->begin(video, until_us));
  return out;
}

RtspSession::RtspSession(Descriptor socket, const CameraPlace& place, const SourceAddress& address)
    : socket_(std::move(socket)), url_(place.url), credentials_(address.user, address.password) {}

RtspSession::~RtspSession() {
  if (session_.empty()) return;
  const Status said = say("TEARDOWN", track_.all_url, "");  // a camera that is gone ends the session by itself
  (void)said;
}

Status RtspSession::begin(bool video, std::int64_t until_us) {
  const RtspMessage able = GREFFE_TRY(ask("OPTIONS", url_, "", until_us));
  has_parameters_ = able.field("public").find("GET_PARAMETER") != std::string_view::npos;
  const RtspMessage described = GREFFE_TRY(ask("DESCRIBE", url_, "Accept: application/sdp\r\n", until_us));
  GREFFE_TRY(expect_good(described));
  GREFFE_TRY(set_up(described, video, until_us));
  const RtspMessage played = GREFFE_TRY(ask("PLAY", track_.all_url, "Range: npt=0.000-\r\n", until_us));
  GREFFE_TRY(expect_good(played));
  alive_at_us_ = monotonic_us() + alive_every_us_;
  return ok();
}

Status RtspSession::set_up(const RtspMessage& described, bool video, std::int64_t until_us) {
  std::string base(described.field("content-base"));
  if (base.empty()) base = described.field("content-location");
  if (base.empty()) base = url_;
  track_ = GREFFE_TRY(read_camera_track(described.body, base, video));
  const RtspMessage answer = GREFFE_TRY(ask("SETUP", track_.url, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", until_us));
  if (answer.status == 461) return fail(Errc::invalid, "it does not send over TCP");
  GREFFE_TRY(expect_good(answer));
  channel_ = GREFFE_TRY(channel_of(answer.field("transport")));
  const std::string_view session = answer.field("session");
  session_ = trimmed(session.substr(0, session.find(';')));
  if (session_.empty()) return fail(Errc::invalid, "it names no session");
  alive_every_us_ = static_cast<std::int64_t>(timeout_of(session)) * 1'000'000 / 2;
  return ok();
}

Status RtspSession::expect_good(const RtspMessage& answer) const {
  switch (answer.status) {
    case 200: return ok();
    case 301:
    case 302: return fail(Errc::not_found, fmt::format("it has moved: write {} into the configuration", answer.field("location")));
    case 401:
    case 403: return fail(Errc::denied, "it refuses the user or password in the configuration");
    case 404: return fail(Errc::not_found, "it does not know this path");
    case 453:
    case 503: return fail(Errc::unavailable, fmt::format("it has no room for one more to watch ({})", answer.status));
    default: return fail(Errc::unavailable, fmt::format("it answers {}", answer.status));
  }
}

Status RtspSession::say(const std::string& method, const std::string& url, const std::string& more) {
  std::string text = fmt::format("{} {} RTSP/1.0\r\nCSeq: {}\r\nUser-Agent: Greffe\r\n{}", method, url, ++number_, more);
  if (!session_.empty()) text += fmt::format("Session: {}\r\n", session_);
  const std::string proof = credentials_.answer(method, url);
  if (!proof.empty()) text += fmt::format("Authorization: {}\r\n", proof);
  return send_all(as_bytes(text + "\r\n")) ? ok() : Status(broke(errno));
}

Result<RtspMessage> RtspSession::ask(const std::string& method, const std::string& url, const std::string& more, std::int64_t until_us) {
  for (;;) {
    GREFFE_TRY(say(method, url, more));
    RtspMessage answer = GREFFE_TRY(answer_to(number_, until_us));
    if (answer.status != 401) return answer;
    if (!credentials_.challenged(answer)) return fail(Errc::denied, "it refuses the user or password in the configuration");
  }
}

// Packets that come before the answer are of no use yet: nobody knows what they are.
Result<RtspMessage> RtspSession::answer_to(std::uint32_t number, std::int64_t until_us) {
  for (;;) {
    if (monotonic_us() > until_us) return no_answer();
    switch (stream_.next()) {
      case RtspStream::Next::packet: continue;
      case RtspStream::Next::garbage: return fail(Errc::invalid, "what it says is not RTSP");
      case RtspStream::Next::message:
        if (stream_.message().status >= 200 && stream_.message().field("cseq") == std::to_string(number)) return std::move(stream_.message());
        continue;
      case RtspStream::Next::more: break;
    }
    const int got = receive();
    if (got == 0) return fail(Errc::unavailable, "it ends the connection");
    if (got < 0 && got != -EAGAIN) return broke(-got);
  }
}

bool RtspSession::send_all(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

int RtspSession::receive() {
  const std::span<std::uint8_t> room = stream_.room();
  const ssize_t got = ::recv(socket_.get(), room.data(), room.size(), 0);
  if (got < 0) return errno == EINTR ? -EAGAIN : -errno;
  stream_.received(static_cast<std::size_t>(got));
  return static_cast<int>(got);
}

Status RtspSession::obey(const RtspMessage& message) {
  if (message.status == 401) {  // what kept the session alive has become too old
    if (!credentials_.challenged(message)) return fail(Errc::denied, "it refuses the user or password now");
    keep_alive();
  }
  if (message.status == 454) return fail(Errc::unavailable, "it has ended the session");
  if (message.status != 0) return ok();
  const char* answer = message.method == "OPTIONS" ? "200 OK" : "501 Not Implemented";
  return send_all(as_bytes(fmt::format("RTSP/1.0 {}\r\nCSeq: {}\r\n\r\n", answer, message.field("cseq")))) ? ok() : Status(broke(errno));
}

int RtspSession::read(std::span<std::uint8_t> out, std::int64_t until_us) {
  for (;;) {
    // Also while packets come: of some no media can be made, and they would be read for ever.
    if (monotonic_us() > until_us) return AVERROR_EXIT;
    switch (stream_.next()) {
      case RtspStream::Next::packet: {
        const ByteView packet = stream_.packet();
        const bool ours = stream_.channel() == channel_ || stream_.channel() == channel_ + 1;
        if (!ours || packet.empty() || packet.size() > out.size()) continue;
        std::copy(packet.begin(), packet.end(), out.begin());
        return static_cast<int>(packet.size());
      }
      case RtspStream::Next::message:
        if (!obey(stream_.message())) return AVERROR_EOF;
        continue;
      case RtspStream::Next::garbage: continue;
      case RtspStream::Next::more: break;
    }
    const int got = receive();
    if (got == 0) return AVERROR_EOF;
    if (got < 0 && got != -EAGAIN) return AVERROR(-got);
    if (monotonic_us() >= alive_at_us_) keep_alive();
  }
}

// A connection that is broken shows itself when the next packets are waited for.
void RtspSession::keep_alive() {
  alive_at_us_ = monotonic_us() + alive_every_us_;
  const Status said = say(has_parameters_ ? "GET_PARAMETER" : "OPTIONS", track_.all_url, "");
  (void)said;
}

void RtspSession::report(ByteView packet) {
  if (packet.size() < 2 || packet.size() > kMostInFrame) return;
  const std::int64_t now_us = monotonic_us();
  if (packet[1] == kReceiverReport) {
    if (now_us - reported_us_ < kReportEvery_us) return;
    reported_us_ = now_us;
  }
  Bytes framed = {'$', static_cast<std::uint8_t>(channel_ + 1), static_cast<std::uint8_t>(packet.size() >> 8), static_cast<std::uint8_t>(packet.size() & 0xFF)};
  framed.insert(framed.end(), packet.begin(), packet.end());
  const bool sent = send_all(framed);  // one that does not go out is no loss
  (void)sent;
}

}  // namespace greffe::ingest
