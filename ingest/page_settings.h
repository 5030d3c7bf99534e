// [control] of station.toml: the page in the courtroom with which a hearing is recorded.
#ifndef GREFFE_INGEST_PAGE_SETTINGS_H
#define GREFFE_INGEST_PAGE_SETTINGS_H

#include <string>
#include <vector>

#include "archive/base/config.h"

namespace greffe::ingest {

struct PageSettings {
  std::string listen;         // empty: there is no page
  std::string tls_cert;       // PEM files; both or none
  std::string tls_key;
  std::string password_file;  // empty: whoever sits at this machine may record
  std::string ui_directory;   // the built page
  std::string docket;         // the day's list, CSV; empty: none
  std::vector<std::string> phrases;  // for marks, on F1 to F8
};
// invalid: what is wrong. An address that other machines reach needs a certificate, its key and a password.
Result<PageSettings> read_page_settings(Config& control, const std::string& config_path);

}  // namespace greffe::ingest

#endif
