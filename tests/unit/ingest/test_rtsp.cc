// The connection to a camera: messages, packets between them, user and password, the description, and a camera that is played by a thread.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <thread>

#include "ingest/libav_owners.h"
#include "ingest/monotonic.h"
#include "ingest/rtsp_session.h"

namespace {

using namespace greffe;
using namespace greffe::ingest;

RtspMessage message(std::string_view text) {
  auto read = read_rtsp_message(text);
  REQUIRE(read);
  REQUIRE(*read);
  CHECK((*read)->size == text.size());
  return (*read)->message;
}

std::string field_of(const std::string& answer, const std::string& name) {
  const std::size_t at = answer.find(name + "=\"");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + name.size() + 2;
  return answer.substr(begin, answer.find('"', begin) - begin);
}

// A camera that answers each request with what a test gives for it.
class PlayedCamera {
 public:
  using Answer = std::function<std::string(const std::string& request)>;
  explicit PlayedCamera(Answer answer) : answer_(std::move(answer)), listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    REQUIRE(::bind(listening_.get(), reinterpret_cast<sockaddr*>(&name), size) == 0);
    REQUIRE(::listen(listening_.get(), 1) == 0);
    REQUIRE(::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0);
    address_ = *parse_source_address("rtsp://clerk:s%40cret@127.0.0.1:" + std::to_string(ntohs(name.sin_port)) + "/live");
    thread_ = std::jthread([this] { serve(); });
  }
  ~PlayedCamera() { ::shutdown(listening_.get(), SHUT_RDWR); }

  const SourceAddress& address() const { return address_; }
  Result<std::unique_ptr<RtspSession>> open(bool video = true) {
    const auto place = find_camera(address_);
    REQUIRE(place);
    return RtspSession::open(*place, address_, video, monotonic_us() + 20'000'000);
  }

 private:
  void serve() {
    const Descriptor client(::accept(listening_.get(), nullptr, nullptr));
    std::string got;
    char piece[4096];
    for (;;) {
      const ssize_t size = ::recv(client.get(), piece, sizeof piece, 0);
      if (size <= 0) return;
      got.append(piece, static_cast<std::size_t>(size));
      for (std::size_t end = got.find("\r\n\r\n"); end != std::string::npos; end = got.find("\r\n\r\n")) {
        const std::string answer = answer_(got.substr(0, end + 4));
        got.erase(0, end + 4);
        if (answer.empty()) return;
        if (::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
      }
    }
  }

  const Answer answer_;
  Descriptor listening_;
  SourceAddress address_;
  std::jthread thread_;
};

std::string cseq(const std::string& request) {
  const std::size_t at = request.find("CSeq: ") + 6;
  return request.substr(at, request.find('\r', at) - at);
}

std::string good(const std::string& request, const std::string& more = "", const std::string& body = "") {
  std::string out = "RTSP/1.0 200 OK\r\nCSeq: " + cseq(request) + "\r\n" + more;
  if (!body.empty()) out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return out + "\r\n" + body;
}

const std::string kDescription =
    "v=0\r\ns=room\r\na=control:*\r\nm=audio 0 RTP/AVP 8\r\na=control:track1\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track2\r\n";
const std::string kPacket("$\x04\0\x03" "abc", 7);

// What a camera of good manners says; on other channels than it was asked for.
std::string mannered(const std::string& request) {
  if (request.starts_with("DESCRIBE ")) return good(request, "Content-Base: rtsp://elsewhere/live/\r\n", kDescription);
  if (request.starts_with("SETUP ")) return good(request, "Session: 7;timeout=40\r\nTransport: RTP/AVP/TCP;interleaved=4-5\r\n");
  if (request.starts_with("PLAY ")) return good(request) + std::string("$\x09\0\x01x", 5) + kPacket;
  return good(request, "Public: GET_PARAMETER\r\n");
}

std::string read_one(RtspSession& session, std::int64_t patience_ms = 20'000) {
  std::uint8_t out[1500];
  const int size = session.read(out, monotonic_us() + patience_ms * 1000);
  if (size < 0) return libav_words(size);
  return std::string(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
}

}  // namespace

TEST_CASE("messages of cameras are read, also those that are written a little differently") {
  const RtspMessage answer = message("RTSP/1.0 200 OK\r\ncseq: 3\r\nSession:  12;timeout=60 \r\nA: b\r\n c\r\nno field\r\n\r\n");
  CHECK(answer.status == 200);
  CHECK(answer.field("cseq") == "3");
  CHECK(answer.field("session") == "12;timeout=60");
  CHECK(answer.field("a") == "b c");
  CHECK(answer.field("x").empty());
  CHECK(message("RTSP/1.0 404\nCSeq: 1\n\n").status == 404);
  CHECK(message("OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 1\r\n\r\n").method == "OPTIONS");
  CHECK(message("RTSP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc").body == "abc");
  for (const char* part : {"", "RTSP/1.0 2", "RTSP/1.0 200 OK\r\nCSeq: 1\r\n", "RTSP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nab"}) {
    const auto read = read_rtsp_message(part);
    REQUIRE(read);
    CHECK_FALSE(*read);
  }
  const std::string endless = "RTSP/1.0 200 OK\r\nA: " + std::string(kMaxRtspHeadBytes, 'x');
  for (const std::string& bad : {std::string("HTTP/1.1 200 OK\r\n\r\n"), std::string("RTSP/1.0 OK\r\n\r\n"), std::string("RTSP/1.0 999 X\r\n\r\n"),
                                 std::string("\r\n\r\n"), std::string("RTSP/1.0 200 OK\r\nContent-Length: 1000000\r\n\r\n"), endless}) {
    CHECK(read_rtsp_message(bad).error().code == Errc::invalid);
  }
}

TEST_CASE("packets are told from messages in whatever pieces they come") {
  const std::string all = kPacket + "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n" + std::string("\0\1\2", 3) + std::string("$\x05\0\0", 4) + kPacket;
  for (std::size_t piece = 1; piece <= all.size(); ++piece) {
    RtspStream stream;
    std::string seen;
    for (std::size_t at = 0; at < all.size(); at += piece) {
      const std::string_view part = std::string_view(all).substr(at, piece);
      std::copy(part.begin(), part.end(), stream.room().begin());
      stream.received(part.size());
      for (auto next = stream.next(); next != RtspStream::Next::more; next = stream.next()) {
        if (next == RtspStream::Next::packet) seen += std::to_string(stream.channel()) + "(" + std::string(as_text(stream.packet())) + ")";
        if (next == RtspStream::Next::message) seen += "<" + std::to_string(stream.message().status) + ">";
      }
    }
    CHECK(seen == "4(abc)<200>5()4(abc)");
  }
}

TEST_CASE("a camera is shown that its password is known, without the password where it can be avoided") {
  const auto asked = [](const std::string& fields) { return message("RTSP/1.0 401 Unauthorized\r\n" + fields + "\r\n"); };
  {
    // No qop: RFC 2069. The same numbers come from any other client.
    RtspCredentials clerk("Mufasa", "Circle Of Life");
    CHECK(clerk.answer("DESCRIBE", "/dir/index.html").empty());
    REQUIRE(clerk.challenged(asked("WWW-Authenticate: Basic realm=\"x\"\r\nWWW-Authenticate: Digest realm=\"testrealm@host.com\", "
                                   "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"\r\n")));
    const std::string answer = clerk.answer("GET", "/dir/index.html");
    CHECK(field_of(answer, "response") == "670fd8c2df070c60b045671b8b24ff02");
    CHECK(field_of(answer, "username") == "Mufasa");
    CHECK_FALSE(clerk.challenged(asked("WWW-Authenticate: Digest realm=\"testrealm@host.com\", nonce=\"new\"\r\n")));  // refused
    CHECK(clerk.challenged(asked("WWW-Authenticate: Digest realm=\"testrealm@host.com\", nonce=\"new\", stale=TRUE\r\n")));
  }
  {
    RtspCredentials clerk("Mufasa", "Circle of Life");
    REQUIRE(clerk.challenged(asked("WWW-Authenticate: Digest realm=\"a\", nonce=\"n\", algorithm=MD5\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"n\", "
                                   "qop=\"auth, auth-int\", algorithm=SHA-256, opaque=\"o\\\"p\"\r\n")));
    const std::string answer = clerk.answer("PLAY", "rtsp://c/");
    CHECK(answer.find("algorithm=SHA-256") != std::string::npos);
    CHECK(answer.find("opaque=\"o\\\"p\"") != std::string::npos);
    CHECK(answer.find("nc=00000001,") != std::string::npos);
    const auto hash = [](const std::string& text) { return sha256(as_bytes(text)).hex(); };
    CHECK(field_of(answer, "response") == hash(hash("Mufasa:a:Circle of Life") + ":n:00000001:" + field_of(answer, "cnonce") + ":auth:" + hash("PLAY:rtsp://c/")));
    CHECK(clerk.answer("PLAY", "rtsp://c/").find("nc=00000002,") != std::string::npos);
  }
  {
    RtspCredentials clerk("Aladdin", "open sesame");
    REQUIRE(clerk.challenged(asked("WWW-Authenticate: Basic realm=\"x\"\r\n")));
    CHECK(clerk.answer("PLAY", "x") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  }
  RtspCredentials nobody("", "");
  CHECK_FALSE(nobody.challenged(asked("WWW-Authenticate: Basic realm=\"x\"\r\n")));
  RtspCredentials clerk("a", "b");
  CHECK_FALSE(clerk.challenged(asked("WWW-Authenticate: Digest realm=\"x\", nonce=\"n\", qop=\"auth-int\"\r\nWWW-Authenticate: NTLM\r\n")));
}

TEST_CASE("a description is cut down to one track, and its addresses are made whole") {
  const auto video = read_camera_track(kDescription, "rtsp://c/live", true);
  REQUIRE(video);
  CHECK(video->url == "rtsp://c/live/track2");
  CHECK(video->all_url == "rtsp://c/live");
  CHECK(video->text == "v=0\r\ns=room\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n");
  CHECK(read_camera_track(kDescription, "rtsp://c/live/", false)->url == "rtsp://c/live/track1");
  CHECK(read_camera_track("m=video 0 RTP/AVP 96\na=control:RTSP://x/y\n", "rtsp://c", true)->url == "RTSP://x/y");
  CHECK(read_camera_track("m=video 0 RTP/AVP 96\nm=video 0 RTP/AVP 97\na=control:2\n", "rtsp://c/", true)->url == "rtsp://c/");
  CHECK(read_camera_track("v=0\r\nm=application 0 RTP/AVP 107\r\n", "rtsp://c", true).error().message == "it sends no picture");
  CHECK(read_camera_track("m=video 0 RTP/AVP 96\na=control:a b\n", "rtsp://c", true).error().code == Errc::invalid);
}

TEST_CASE("a camera is asked to play, and its packets come") {
  std::string requests, url;
  {
    PlayedCamera camera([&requests](const std::string& request) {
      requests += request.substr(0, request.find("RTSP/1.0"));
      return mannered(request);
    });
    url = camera.address().text();
    const auto session = camera.open();
    REQUIRE(session);
    CHECK((*session)->description().find("track1") == std::string::npos);
    CHECK(read_one(**session) == "abc");
    CHECK(read_one(**session, 300) == libav_words(AVERROR_EXIT));
  }
  CHECK(requests == "OPTIONS " + url + " DESCRIBE " + url + " SETUP rtsp://elsewhere/live/track2 PLAY rtsp://elsewhere/live/ TEARDOWN rtsp://elsewhere/live/ ");
}

TEST_CASE("what a camera refuses is said in words") {
  const auto open_against = [](const std::string& method, const std::string& status, const std::string& more = "") {
    PlayedCamera camera([&](const std::string& request) {
      if (request.starts_with(method + " ")) return "RTSP/1.0 " + status + "\r\nCSeq: " + cseq(request) + "\r\n" + more + "\r\n";
      return mannered(request);
    });
    const auto session = camera.open();
    REQUIRE_FALSE(session);
    CHECK(session.error().message.find("s@cret") == std::string::npos);
    return session.error();
  };
  CHECK(open_against("DESCRIBE", "404 Not Found").code == Errc::not_found);
  CHECK(open_against("DESCRIBE", "401 No", "WWW-Authenticate: Digest realm=\"a\", nonce=\"n\"\r\n").code == Errc::denied);
  CHECK(open_against("DESCRIBE", "302 Moved", "Location: rtsp://new/live\r\n").message == "it has moved: write rtsp://new/live into the configuration");
  CHECK(open_against("SETUP", "461 Unsupported transport").message == "it does not send over TCP");
  CHECK(open_against("SETUP", "200 OK").message == "it names no session");
  CHECK(open_against("PLAY", "453 Not Enough Bandwidth").code == Errc::unavailable);

  PlayedCamera web([](const std::string&) { return "HTTP/1.1 400 Bad Request\r\n\r\n"; });
  CHECK(web.open().error().message == "what it says is not RTSP");
  PlayedCamera silent([](const std::string&) { return ""; });
  CHECK(silent.open().error().code == Errc::unavailable);
}

TEST_CASE("a camera may ask in the middle, prove its session too old, or end it") {
  PlayedCamera camera([](const std::string& request) {
    if (request.starts_with("PLAY ")) return mannered(request) + "OPTIONS * RTSP/1.0\r\nCSeq: 77\r\n\r\n";
    if (request.starts_with("RTSP/1.0 200 OK\r\nCSeq: 77")) return kPacket + "SET_PARAMETER * RTSP/1.0\r\nCSeq: 78\r\n\r\n";
    if (request.starts_with("RTSP/1.0 501 ")) return kPacket + "RTSP/1.0 454 Session Not Found\r\nCSeq: 99\r\n\r\n" + kPacket;
    return mannered(request);
  });
  const auto session = camera.open();
  REQUIRE(session);
  CHECK(read_one(**session) == "abc");
  CHECK(read_one(**session) == "abc");
  CHECK(read_one(**session) == "abc");
  CHECK(read_one(**session) == libav_words(AVERROR_EOF));
}

TEST_CASE("reports go to the camera, those of what was received no more than once a second") {
  std::string seen;
  {
    PlayedCamera camera([&seen](const std::string& request) {
      seen += request;
      return mannered(request);
    });
    const auto session = camera.open();
    REQUIRE(session);
    const Bytes received = {0x80, 201, 0, 1};
    const Bytes lost = {0x81, 206, 0, 1};
    for (int i = 0; i < 3; ++i) (*session)->report(received);
    (*session)->report(lost);
    CHECK(read_one(**session) == "abc");
  }
  const std::string head("$\x05\0\x04", 4);
  const std::string expected = head + std::string("\x80\xC9\0\1", 4) + head + std::string("\x81\xCE\0\1", 4) + "TEARDOWN ";
  CHECK(seen.find(expected) != std::string::npos);
}
