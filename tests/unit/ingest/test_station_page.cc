// Who may use the page of a station, and what it gives to whom. The handlers are called as the server would.
#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "ingest/docket.h"
#include "ingest/import_begin.h"
#include "ingest/station_page.h"
#include "tests/unit/support/temporary_folder.h"

namespace {

using namespace greffe;
using namespace greffe::ingest;

class HandClock : public Clock {
 public:
  UtcTime utc_now() override { return {1'800'000'000'000 + mono_ms}; }
  std::int64_t monotonic_ms() override { return mono_ms; }
  std::string boot_id() override { return "boot-1"; }
  std::int64_t mono_ms = 1'000;
};

Result<PageSettings> settings_from(const std::string& toml) {
  Config config = GREFFE_TRY(Config::parse(toml, "station.toml"));
  Config control = GREFFE_TRY(config.table("control"));
  return read_page_settings(control, "station.toml");
}

// A page over a folder of the disk; what it was asked is kept.
struct Page {
  explicit Page(const std::string& password = "", bool local = true) {
    settings.directory = folder.path;
    settings.page.listen = local ? "127.0.0.1:0" : "0.0.0.0:0";
    settings.page.phrases = {"Objection"};
    settings.page.ui_directory = folder.path + "/ui-bundle";
    if (!password.empty()) {
      settings.page.password_file = folder.path + "/password";
      REQUIRE(files.write_new(settings.page.password_file, as_bytes(password + "\n")));
      REQUIRE(::chmod(settings.page.password_file.c_str(), 0600) == 0);
    }
    if (!local) {
      settings.page.tls_cert = folder.path + "/cert";
      settings.page.tls_key = folder.path + "/key";
      for (const std::string& path : {settings.page.tls_cert, settings.page.tls_key}) REQUIRE(files.write_new(path, as_bytes("pem")));
    }
  }
  void start() {
    auto made = page.listener();
    INFO((made ? std::string() : made.error().message));
    REQUIRE(made);
    listener = std::move(*made);
  }
  http::Request request(const std::string& method, const std::string& path) const {
    http::Request out;
    out.method = method;
    out.path = path;
    out.remote = "10.1.2.3:5000";
    out.headers.emplace("host", "127.0.0.1:8450");
    if (method == "GET") return out;
    out.headers.emplace("origin", "http://127.0.0.1:8450");
    out.headers.emplace("content-type", "application/json");
    out.body = "{}";
    return out;
  }
  http::Response ask(http::Request request, const std::string& pattern = "") {
    for (const http::Route& route : listener.routes) {
      if (route.method == request.method && route.pattern == (pattern.empty() ? request.path : pattern)) {
        return std::get<http::Handler>(route.handler)(request);
      }
    }
    FAIL("no route for " << request.method << " " << request.path);
    return {};
  }
  http::Response post(const std::function<void(http::Request&)>& change = nullptr) {
    http::Request mark = request("POST", "/station/mark");
    mark.parameters["verb"] = "mark";
    if (change) change(mark);
    return ask(mark, "/station/{verb}");
  }
  http::Response sign_in(const std::string& password) {
    http::Request ask_in = request("POST", "/station/session");
    ask_in.body = write_json(std::move(Json().set("password", password)));
    return ask(ask_in);
  }

  testing::TemporaryFolder folder;
  PosixFileSystem files;
  HandClock clock;
  Log log{"test"};
  IngestSettings settings;
  std::vector<std::string> asked;
  std::function<Result<Json>()> docket;
  PictureBoard pictures{clock};
  StationPage page{files, clock, log, settings,
                   {[] { return std::move(Json().set("state", "ready")); },
                    [this](const http::Request& request) {
                      asked.push_back(request.parameter("verb"));
                      return http::json_response(200, "{}");
                    },
                    [this] { return docket(); }, &pictures}};
  http::ListenerSettings listener;
};

std::string text(const http::Response& response) { return std::get<std::string>(response.body); }

std::string header(const http::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

void set(http::Request& request, const std::string& name, const std::string& value) {
  request.headers.erase(name);
  if (!value.empty()) request.headers.emplace(name, value);
}

}  // namespace

TEST_CASE("a page that other machines reach needs a certificate and a password") {
  CHECK(settings_from("")->listen.empty());
  CHECK(settings_from("[control]\nlisten = \"127.0.0.1:8450\"\nphrases = [\"Objection\"]\n")->phrases.size() == 1);
  CHECK(settings_from("[control]\nlisten = \"10.0.0.5:8450\"\ntls_cert = \"c\"\ntls_key = \"k\"\npassword_file = \"p\"\n"));
  for (const char* bad : {"listen = \"10.0.0.5:8450\"", "listen = \"0.0.0.0:8450\"\ntls_cert = \"c\"\ntls_key = \"k\"",
                          "listen = \"10.0.0.5:8450\"\npassword_file = \"p\"", "tls_cert = \"c\"", "listen = \"room\"", "listn = \"127.0.0.1:1\"",
                          "phrases = [\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]", "phrases = [\"\"]"}) {
    INFO(bad);
    const auto refused = settings_from(std::string("[control]\n") + bad + "\n");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("station.toml") != std::string::npos);
  }
}

TEST_CASE("the password's file is private, and its password long enough") {
  Page page("open sesame now");
  CHECK(*read_page_password(page.files, page.settings.page.password_file) == "open sesame now");
  REQUIRE(::chmod(page.settings.page.password_file.c_str(), 0640) == 0);
  const auto readable = page.page.listener();
  REQUIRE_FALSE(readable);
  CHECK(readable.error().code == Errc::denied);
  CHECK(readable.error().message.find("chmod 600") != std::string::npos);
  Page other("short");
  CHECK(other.page.listener().error().code == Errc::invalid);
}

TEST_CASE("a page of another site cannot steer the recording") {
  Page page;
  page.start();
  CHECK(page.post().status == 200);
  CHECK(page.asked == std::vector<std::string>{"mark"});
  const std::pair<const char*, const char*> foreign[] = {
      {"origin", "https://elsewhere.example"}, {"origin", "http://127.0.0.1:9999"}, {"origin", "null"}, {"origin", ""},
      {"content-type", "text/plain"},          {"content-type", ""},                {"sec-fetch-site", "cross-site"},
      {"sec-fetch-site", "same-site"},         {"host", "elsewhere.example:8450"},  {"host", "127.0.0.1.elsewhere.example"},
      {"host", "10.0.0.5:8450"},               {"host", "[::2]:8450"},               {"host", ""}};
  for (const auto& [name, value] : foreign) {
    INFO(name << ": " << value);
    CHECK(page.post([&, n = name, v = value](http::Request& r) { set(r, n, v); }).status >= 400);
  }
  // As after DNS rebinding: the other site's name means this machine, and its script reads with its own origin.
  http::Request read = page.request("GET", "/station/state");
  CHECK(page.ask(read).status == 200);
  set(read, "host", "elsewhere.example");
  CHECK(page.ask(read).status == 403);
  for (const char* host : {"localhost:8450", "[::1]:8450", "127.0.0.1", "127.0.0.2:8450"}) {
    set(read, "host", host);
    CHECK(page.ask(read).status == 200);
  }
  CHECK(page.asked.size() == 1);
}

TEST_CASE("with a password nothing is shown or done before it was given, and a session ends") {
  Page page("open sesame now", false);
  page.start();
  const auto at_home = [](http::Request& r) {
    set(r, "host", "room-3.court.example:8450");
    set(r, "origin", "https://room-3.court.example:8450");
  };
  CHECK(page.post(at_home).status == 401);
  CHECK(page.ask(page.request("GET", "/station/state")).status == 401);
  http::Request ask_in = page.request("POST", "/station/session");
  at_home(ask_in);
  ask_in.body = R"({"password":"open sesame no"})";
  CHECK(page.ask(ask_in).status == 401);
  ask_in.body = R"({"password":"open sesame now"})";
  const auto answer = page.ask(ask_in);
  CHECK(answer.status == 204);
  const std::string cookie = header(answer, "Set-Cookie");
  for (const char* part : {"__Host-greffe-station=", "Path=/", "HttpOnly", "Secure", "SameSite=Strict"}) CHECK(cookie.find(part) != std::string::npos);
  const auto signed_in = [&](http::Request& r) {
    at_home(r);
    set(r, "cookie", cookie.substr(0, cookie.find(';')));
  };
  CHECK(page.post(signed_in).status == 200);
  http::Request leave = page.request("DELETE", "/station/session");
  signed_in(leave);
  CHECK(page.ask(leave).status == 204);
  CHECK(page.post(signed_in).status == 401);
  CHECK(page.ask(ask_in).status == 204);
  page.clock.mono_ms += 17 * 3'600'000;
  CHECK(page.post(signed_in).status == 401);
}

TEST_CASE("guessing the password becomes slow, for everybody at the most") {
  Page page("open sesame now");
  page.start();
  for (int i = 0; i < 5; ++i) CHECK(page.sign_in("wrong password").status == 401);
  const auto waits = page.sign_in("open sesame now");
  CHECK(waits.status == 429);
  CHECK(header(waits, "Retry-After") == "30");
  page.clock.mono_ms += 30'000;
  CHECK(page.sign_in("wrong password").status == 401);
  CHECK(header(page.sign_in("wrong password"), "Retry-After") == "60");
  page.clock.mono_ms += 60'000;
  CHECK(page.sign_in("open sesame now").status == 204);
  CHECK(page.sign_in("wrong password").status == 401);  // counted from the beginning again

  PasswordGate gate(page.clock, "open sesame now");
  for (int i = 0; i < 50; ++i) CHECK(gate.attempt("10.0.0." + std::to_string(i), "wrong password").wait_s == 0);
  CHECK(gate.attempt("10.0.1.1", "open sesame now").wait_s > 0);
  page.clock.mono_ms += 60'000;
  CHECK(gate.attempt("10.0.1.1", "open sesame now").right);
}

TEST_CASE("state, today's list, pictures and the closing sheet") {
  Page page;
  page.start();
  const Json state = *parse_json(text(page.ask(page.request("GET", "/station/state"))));
  CHECK(*state.string("state") == "ready");
  CHECK(*state.object("page")->strings("phrases") == std::vector<std::string>{"Objection"});

  page.docket = []() -> Result<Json> { return fail(Errc::invalid, "the list has no column case"); };
  CHECK(page.ask(page.request("GET", "/station/docket")).status == 400);
  page.docket = []() -> Result<Json> { return std::move(Json().set("rows", Json::Array{})); };
  CHECK(text(page.ask(page.request("GET", "/station/docket"))) == R"({"rows":[]})");

  http::Request picture = page.request("GET", "/station/streams/cam-1/picture.jpg");
  picture.parameters["name"] = "cam-1";
  const char* const pattern = "/station/streams/{name}/picture.jpg";
  CHECK(page.ask(picture, pattern).status == 204);
  page.pictures.put("cam-1", to_bytes("jpeg"));
  CHECK(text(page.ask(picture, pattern)) == "jpeg");
  page.clock.mono_ms += 10'001;
  CHECK(page.ask(picture, pattern).status == 204);  // an old picture is none

  CHECK(page.ask(page.request("GET", "/station/sheet")).status == 404);
  const HearingId id = make_hearing_id(UtcTime{1'800'000'000'000});
  const SpoolPaths paths = spool_of(page.folder.path, id);
  REQUIRE(page.files.make_directories(paths.directory));
  REQUIRE(page.files.write_new(join(paths.directory, "sheet-fr.html"), as_bytes("<p>feuille")));
  const auto newest = page.ask(page.request("GET", "/station/sheet"));
  CHECK(text(newest) == "<p>feuille");
  CHECK(header(newest, "Content-Security-Policy").find("default-src 'none'") == 0);
  http::Request sheet = page.request("GET", "/station/sheet/x");
  for (const std::string& bad : {std::string("../x"), std::string("x"), id.text() + "/.."}) {
    sheet.parameters["hearing"] = bad;
    CHECK(page.ask(sheet, "/station/sheet/{hearing}").status == 404);
  }
  sheet.parameters["hearing"] = id.text();
  CHECK(page.ask(sheet, "/station/sheet/{hearing}").status == 200);
}

TEST_CASE("today's hearings are those of this room on the court's day") {
  testing::TemporaryFolder folder;
  PosixFileSystem files;
  IngestSettings settings;
  settings.page.docket = folder.path + "/today.csv";
  settings.place.zone = *Zone::named("Asia/Shanghai");
  settings.place.room_names["zh"] = "第三法庭";
  Enrolment enrolment;
  enrolment.court = "court-a";
  enrolment.room = "room-3";
  CHECK(docket_json(files, settings, enrolment, UtcTime{}).error().code == Errc::not_found);
  REQUIRE(files.write_new(settings.page.docket, as_bytes("court,room,time,cases\n"
                                                         "court-a,room-3,2026-11-26 00:30,early\n"
                                                         "court-a,第三法庭,2026-11-26 23:30,late\n"
                                                         "court-a,room-4,2026-11-26 09:00,other room\n"
                                                         "court-a,room-3,2026-11-27 00:30,tomorrow\n"
                                                         "court-a,room-3,never,wrong\n")));
  const auto cases_at = [&](const char* utc) {
    const Json list = *docket_json(files, settings, enrolment, *parse_utc(utc));
    CHECK(list.array("problems")->size() == 1);
    CHECK(*list.array("problems")->front().string("column") == "time");
    const Json::Array rows = *list.array("rows");
    std::vector<std::string> out;
    for (const Json& row : rows) out.push_back(parse_details(*row.string("details"))->cases.front());
    return out;
  };
  // It is the 26th in Shanghai from 16:00 of the 25th in UTC.
  CHECK(cases_at("2026-11-25T16:00:00.000Z") == std::vector<std::string>{"early", "late"});
  CHECK(cases_at("2026-11-26T15:59:59.000Z") == std::vector<std::string>{"early", "late"});
  CHECK(cases_at("2026-11-26T16:00:00.000Z") == std::vector<std::string>{"tomorrow"});
  CHECK(cases_at("2026-11-25T15:59:59.000Z").empty());
}
