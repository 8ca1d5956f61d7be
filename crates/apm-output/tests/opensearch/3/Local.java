import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.opensearch.Version;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.PluginInfo;

/** A node of OpenSearch 3, with plugins by their descriptions. */
class Local extends Node {
    private Local(Settings settings, List<PluginInfo> plugins) {
        super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "local"), plugins, false);
    }

    static Node node(Settings settings) throws Exception {
        List<PluginInfo> plugins = new ArrayList<>();
        for (String name : List.of(
            "org.opensearch.transport.Netty4ModulePlugin",
            "org.opensearch.painless.PainlessModulePlugin",
            "org.opensearch.analysis.common.CommonAnalysisModulePlugin")) {
            Version version = Version.CURRENT;
            plugins.add(
                new PluginInfo(name, "module", version.toString(), version, "21", name, null, List.of(), false));
        }
        return new Local(settings, plugins);
    }
}
