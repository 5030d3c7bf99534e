#include "web/site_verbs.h"

#include <fmt/format.h>

namespace greffe::web {
namespace {

constexpr std::uint64_t kMaxCodeFileBytes = 16 * 1024;

Result<int> said(const SiteVerbs& verbs, const Json& answer, const std::string& words) {
  fmt::print("{}\n", verbs.json ? write_json(answer) : words);
  return kExitDone;
}

Result<int> make_reader_code(const SiteVerbs& verbs) {
  const Json answer = GREFFE_TRY(verbs.ask("reader-code", Json().set("name", verbs.name)));
  return verbs.deliver_code(verbs.code_file, answer);
}

Result<int> revoke(const SiteVerbs& verbs, const std::string& verb, const std::string& words) {
  const Json answer = GREFFE_TRY(verbs.ask(verb, Json().set("name", verbs.name).set("why", verbs.why)));
  return said(verbs, answer, words);
}

Result<int> add_site(SiteVerbs& verbs) {
  const Bytes code = GREFFE_TRY(verbs.files.read_file(verbs.code_file, kMaxCodeFileBytes));
  const Json answer = GREFFE_TRY(verbs.ask("site-add", Json().set("code", as_text(code))));
  const std::string name = GREFFE_TRY(answer.string("name"));
  return said(verbs, answer, "What no volume of this archive has any more is fetched from " + name + ", as soon as somebody plays it or a scrub finds it.");
}

Result<int> list_sites(const SiteVerbs& verbs) {
  const Json answer = GREFFE_TRY(verbs.ask("site-list", Json()));
  if (verbs.json) return said(verbs, answer, "");
  fmt::print("{:<32} {}\n", "SITE", "ADDRESS");
  const Json::Array sites = GREFFE_TRY(answer.array("sites"));
  for (const Json& site : sites) fmt::print("{:<32} {}\n", GREFFE_TRY(site.string("name")), GREFFE_TRY(site.string("address")));
  return kExitDone;
}

Result<int> remove_site(const SiteVerbs& verbs) {
  const Json answer = GREFFE_TRY(verbs.ask("site-remove", Json().set("name", verbs.name)));
  return said(verbs, answer, "Nothing is fetched from " + verbs.name + " any more. There, `origin reader-revoke` ends this archive's key.");
}

Result<Json> returning_arguments(const SiteVerbs& verbs) {
  if (verbs.epoch < 0) return fail(Errc::invalid, "--epoch is a number from 1 on");
  Json out;
  if (verbs.epoch > 0) out.set("epoch", verbs.epoch);
  return out;
}

Result<int> add_returning(const SiteVerbs& verbs) {
  const Json arguments = GREFFE_TRY(returning_arguments(verbs));
  const Json answer = GREFFE_TRY(verbs.ask("returning-add", Json(arguments).set("renew", verbs.renew)));
  return verbs.deliver_code(verbs.code_file, answer);
}

Result<int> revoke_returning(const SiteVerbs& verbs) {
  const Json arguments = GREFFE_TRY(returning_arguments(verbs));
  const Json answer = GREFFE_TRY(verbs.ask("returning-revoke", Json(arguments).set("why", verbs.why)));
  return said(verbs, answer, "Nothing more comes back from that site. What has come back stays.");
}

}  // namespace

void SiteVerbs::define_returning(CommandLine& line) {
  constexpr const char* kEpoch = "in which that site was the archive; the one before this, where none is said";
  Verb& returning = line.verb("returning", "what only the site has that was this archive before it was promoted: add, revoke");
  returning.verb("add", "take it back: makes a code for the replicator at that site")
      .option("--epoch", epoch, kEpoch, "N").flag("--renew", renew, "for one that lost its key: the old one is retired when it enrols again")
      .option("--code-file", code_file, "write the code here (mode 0600)", "FILE").body([this] { return add_returning(*this); });
  returning.verb("revoke", "take nothing more from it; what has come back stays").option("--epoch", epoch, kEpoch, "N")
      .required("--why", why, "retired or stolen", "WHY").json(json).body([this] { return revoke_returning(*this); });
}

void SiteVerbs::define(CommandLine& line, Verb& origin, Verb& cosigner) {
  const auto revocation = [this](Verb& verb, const char* of) -> Verb& {
    return verb.required("--name", name, of, "NAME").required("--why", why, "retired or stolen", "WHY").json(json);
  };
  revocation(origin.verb("revoke", "take nothing more from such an archive's replicator; what is held stays"), "the archive").body([this] {
    return revoke(*this, "origin-revoke", "Nothing of " + name + " is taken any more. What is held stays; `origin add --renew` makes a code for another key.");
  });
  revocation(cosigner.verb("revoke", "believe no confirmation of a site any more, and hear no more from the replicator that brought them"),
             "the name of its cosigning key").body([this] {
    return revoke(*this, "cosigner-revoke", "Confirmations of " + name + " count for nothing from now on.");
  });
  origin.verb("reader-code", "make a code with which such an archive may read what it recorded, object by object, and nothing else")
      .required("--name", name, "its name", "ARCHIVE").option("--code-file", code_file, "write the code here (mode 0600)", "FILE")
      .body([this] { return make_reader_code(*this); });
  revocation(origin.verb("reader-revoke", "end the key that such a code led to"), "the archive").body([this] {
    return revoke(*this, "reader-revoke", name + " may read nothing here any more.");
  });
  Verb& site = line.verb("site", "other sites from which what is lost here is fetched: add, list, remove");
  site.verb("add", "fetch from a site that holds copies of this archive, with the code of `origin reader-code` there")
      .required("--code-file", code_file, "the file with the code", "FILE").json(json).body([this] { return add_site(*this); });
  site.verb("list", "the sites, in the order in which they are asked").json(json).body([this] { return list_sites(*this); });
  site.verb("remove", "fetch nothing from a site any more").required("--name", name, "the site", "ARCHIVE").json(json)
      .body([this] { return remove_site(*this); });
  define_returning(line);
}

}  // namespace greffe::web
