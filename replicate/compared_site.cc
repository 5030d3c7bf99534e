#include "replicate/compared_site.h"

namespace greffe::replicate {
namespace {

class HttpComparedSite : public ComparedSite {
 public:
  HttpComparedSite(const client::ArchiveEndpoint& endpoint, const PrivateKey& identity, std::string origin)
      : client_(endpoint, identity), log_{std::move(origin)} {}
  Result<std::string> ask(client::ComparisonStep step, std::string question) override {
    return client_.ask_comparison(log_, step, std::move(question));
  }

 private:
  client::ArchiveClient client_;
  const client::LogTarget log_;
};

class HttpInformedSite : public InformedSite {
 public:
  HttpInformedSite(const client::ArchiveEndpoint& endpoint, const PrivateKey& identity) : client_(endpoint, identity) {}
  Result<std::uint64_t> report_absent(const AbsentObjects& absent) override { return client_.report_absent(absent); }

 private:
  client::ArchiveClient client_;
};

}  // namespace

std::unique_ptr<ComparedSite> connect_compared_site(const client::ArchiveEndpoint& endpoint, const PrivateKey& identity, std::string origin) {
  return std::make_unique<HttpComparedSite>(endpoint, identity, std::move(origin));
}
std::unique_ptr<InformedSite> connect_informed_site(const client::ArchiveEndpoint& endpoint, const PrivateKey& identity) {
  return std::make_unique<HttpInformedSite>(endpoint, identity);
}

}  // namespace greffe::replicate
