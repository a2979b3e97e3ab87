# Deploy to AWS from PowerShell, as deploy.sh does from a shell. See: ./deploy.ps1 --help
foreach ($python in @(@("py", "-3"), @("python3"), @("python"))) {
    if (-not (Get-Command $python[0] -ErrorAction SilentlyContinue)) { continue }
    $first = @($python | Select-Object -Skip 1)
    & $python[0] @first -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>$null
    if ($LASTEXITCODE -ne 0) { continue }
    & $python[0] @first (Join-Path $PSScriptRoot "tools/deploy") @args
    exit $LASTEXITCODE
}
[Console]::Error.WriteLine("Python 3.11 or newer is needed. Install it from https://www.python.org/downloads/")
exit 1
